//! Needs: cargo add usage-billing-acronis; cargo add tokio --features macros,rt
use usage_billing_acronis::{Client, Credentials, DataCenter, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let sandbox: DataCenter = "http://127.0.0.1:8080".parse()?;
    let (id, secret) = ("6be1f0c9-2d47-4c83-b5a9-7e3f10d8c264", "demo-acronis-secret");
    let credentials = Credentials::new(id, secret.to_owned());
    let client = Client::builder(&sandbox, credentials).build()?;

    let partner = client.get_client().client_id(id).send().await?.tenant_id;
    let request = client.list_tenant_children().tenant_id(partner);
    for child in &request.send().await?.items {
        println!("{child}");
    }
    Ok(())
}
