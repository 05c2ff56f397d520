//! What the program waits for: lines that are redrawn on a terminal, and a plain line from time to time elsewhere.

mod layer;
mod state;

use std::io::{self, IsTerminal};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::{Instant, MissedTickBehavior};
use tracing::Instrument as _;

pub(crate) use self::layer::ProgressLayer;
use self::state::State;
use crate::terminal;

/// Time between two drawings.
const TICK: Duration = Duration::from_millis(200);

/// For the complete program, like stderr itself.
static STATE: Mutex<State> = Mutex::new(State::new());

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs some work, and shows its activities until it ends.
pub(crate) async fn watch<T>(work: impl Future<Output = T>) -> T {
    let mut display = Display::new();
    let mut work = pin!(work);
    // Short work shows nothing.
    let mut ticks = tokio::time::interval_at(Instant::now() + TICK, TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            outcome = &mut work => return outcome,
            now = ticks.tick() => display.update(now),
        }
    }
}

/// Runs a part of the work whose requests and time are shown under a name. Where nothing is drawn, `started` is a line of its own.
pub(crate) async fn activity<T>(name: &str, started: &str, work: impl Future<Output = T>) -> T {
    if !is_drawn() {
        terminal::print_progress(started);
    }
    let id = state().start(name, Instant::now());
    // Ends the activity also if the work is dropped.
    let _running = Running(id);
    let span = tracing::info_span!(target: layer::TARGET, layer::ACTIVITY, id);
    work.instrument(span).await
}

/// Sets the number of parts of the work.
pub(crate) fn set_parts(parts: usize) {
    state().set_parts(parts);
}

/// Counts a part that is done, with its rows.
pub(crate) fn part_done(rows: usize) {
    state().part_done(rows);
}

struct Running(u64);

impl Drop for Running {
    fn drop(&mut self) {
        state().end(self.0);
    }
}

fn is_drawn() -> bool {
    io::stderr().is_terminal() && !terminal::is_quiet()
}

/// The lines below those that stay.
struct Display {
    is_drawn: bool,
    bars: Vec<ProgressBar>,
}

impl Display {
    fn new() -> Self {
        Self { is_drawn: is_drawn(), bars: Vec::new() }
    }

    fn update(&mut self, now: Instant) {
        if !self.is_drawn {
            state().overdue_lines(now).iter().for_each(|line| terminal::print_progress(line));
            return;
        }
        let lines = state().lines(now);
        while self.bars.len() > lines.len() {
            self.bars.pop().iter().for_each(ProgressBar::finish_and_clear);
        }
        while self.bars.len() < lines.len() {
            let bar = terminal::bars().add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                bar.set_style(style);
            }
            self.bars.push(bar);
        }
        for (bar, line) in self.bars.iter().zip(lines) {
            bar.set_message(line);
            bar.tick();
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.bars.iter().for_each(ProgressBar::finish_and_clear);
    }
}
