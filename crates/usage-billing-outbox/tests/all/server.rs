//! A throwaway PostgreSQL server on a Unix socket, from the programs of this machine.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use usage_billing_outbox::sqlx::postgres::PgConnectOptions;
use usage_billing_outbox::sqlx::{ConnectOptions as _, Executor as _};

/// How long a server may take to start: a killed one recovers first, on a disk that others use.
const START: Duration = Duration::from_secs(120);

/// A server that ends with this process, in whatever way that ends.
#[derive(Debug)]
pub(crate) struct Server {
    programs: PathBuf,
    folder: tempfile::TempDir,
    user: Option<(u32, u32)>,
    settings: &'static [&'static str],
    running: Option<Child>,
}

/// Returns the server of the tests of this process. `None` if there is none here, which is printed.
pub(crate) fn shared() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    SHARED.get_or_init(|| Server::start_or_skip(&["fsync=off", "full_page_writes=off"])).as_ref()
}

impl Server {
    /// Starts a server, or prints why there is none.
    pub(crate) fn start_or_skip(settings: &'static [&'static str]) -> Option<Self> {
        Self::new(settings)
            // Not captured by the test harness.
            .inspect_err(|reason| _ = writeln!(std::io::stderr(), "skipped: tests with PostgreSQL: {reason}"))
            .ok()
    }

    fn new(settings: &'static [&'static str]) -> Result<Self, String> {
        let programs = programs().ok_or("there is no `initdb` in PATH and /usr/lib/postgresql")?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let user = user(folder.path())?;
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid)).map_err(|error| error.to_string())?;
        }
        let mut server = Self { programs, folder, user, settings, running: None };
        let mut initdb = server.command("initdb");
        initdb.args(["--username=outbox", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "-D"]);
        let output = initdb.arg(server.data()).output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(format!("initdb failed: {}", String::from_utf8_lossy(&output.stderr)));
        }
        server.start()?;
        Ok(server)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        self.as_user(Command::new(self.programs.join(program)))
    }

    /// PostgreSQL does not run as root.
    fn as_user(&self, mut command: Command) -> Command {
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command.current_dir(self.folder.path()).env_remove("PGDATA");
        command
    }

    /// Starts the server, and waits until it accepts connections.
    pub(crate) fn start(&mut self) -> Result<(), String> {
        // The shell ends the server when its input ends, and removes its files: with this process, also if that is killed.
        let script = r#""$@" & read -r keep || true; kill -QUIT $!; wait; [ "$keep" ] || rm -rf "$0""#;
        let mut command = self.as_user(Command::new("sh"));
        command.args(["-c", script]).arg(self.folder.path());
        command.arg(self.programs.join("postgres")).arg("-D").arg(self.data());
        command.arg("-k").arg(self.folder.path());
        for setting in ["listen_addresses=", "max_connections=200", "shared_buffers=32MB"].iter().chain(self.settings) {
            command.args(["-c", setting]);
        }
        let log = fs::File::options().create(true).append(true).open(self.folder.path().join("log"));
        let log = log.map_err(|error| error.to_string())?;
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        self.running = Some(command.spawn().map_err(|error| error.to_string())?);
        let began = Instant::now();
        while !self.is_ready()? {
            if began.elapsed() > START {
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                return Err(format!("the server does not start: {log}"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn is_ready(&self) -> Result<bool, String> {
        let mut command = self.command("pg_isready");
        let status = command.args(["-q", "-h"]).arg(self.folder.path()).status();
        status.map(|status| status.success()).map_err(|error| error.to_string())
    }

    /// Ends the server at once, as `pg_ctl stop -m immediate` does.
    pub(crate) fn kill(&mut self) {
        self.stop(b"keep\n");
    }

    fn stop(&mut self, command: &[u8]) {
        if let Some(mut shell) = self.running.take() {
            let _ = shell.stdin.take().map(|mut input| input.write_all(command));
            let _ = shell.wait();
        }
    }

    /// Returns the path of its socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join(".s.PGSQL.5432")
    }

    pub(crate) fn options(&self, database: &str) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass().socket(self.folder.path()).port(5432);
        options.username("outbox").password("").database(database)
    }

    /// Creates an empty database, and returns its name.
    pub(crate) async fn create_database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut connection = self.options("postgres").connect().await.expect("a connection");
        connection.execute(format!("CREATE DATABASE {name}").as_str()).await.expect("a database");
        name
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop(b"");
    }
}

/// Returns the folder of `initdb` and the other programs, where Debian installs them.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    versions.sort();
    let folders = versions.into_iter().rev().chain(std::env::split_paths(&path));
    folders.into_iter().find(|folder| ["initdb", "postgres", "pg_isready"].iter().all(|it| folder.join(it).exists()))
}

/// Returns the user of the server, if this process is of root: that of Debian's package, or one without rights.
fn user(owned: &Path) -> Result<Option<(u32, u32)>, String> {
    use std::os::unix::fs::MetadataExt as _;
    if fs::metadata(owned).map_err(|error| error.to_string())?.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").map_err(|error| error.to_string())?;
    let ids = |line: &str| {
        let mut fields = line.split(':').skip(2).map(str::parse);
        Some((fields.next()?.ok()?, fields.next()?.ok()?))
    };
    let of_name = |name: &str| users.lines().find(|line| line.starts_with(name)).and_then(ids);
    let found = of_name("postgres:").or_else(|| of_name("nobody:")); // words: allow
    found.map(Some).ok_or_else(|| "there is no user `postgres` in /etc/passwd".to_owned())
}
