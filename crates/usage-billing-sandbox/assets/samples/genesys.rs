//! Needs: cargo add usage-billing-genesys; cargo add tokio --features macros,rt
use usage_billing_genesys::{Client, Credentials, Error, Region};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let sandbox: Region = "http://127.0.0.1:8080".parse()?;
    let (id, secret) = ("5a0d7c1e-2b94-4f6a-8e13-9c4b6d2f7a01", "demo-genesys-secret");
    let credentials = Credentials::new(id, secret.to_owned());
    let client = Client::builder(&sandbox, credentials).build()?;

    // The bill of a customer for the last finished billing period.
    let request = client
        .get_billing_trusteebillingoverview_trustor_org_id()
        .trustor_org_id("b7a0c2d4-19e6-4f3b-8d51-6c2e9f0a7713")
        .billing_period_index(1);
    for usage in request.send().await?.usages.iter().flatten() {
        if let (Some(name), Some(quantity)) = (&usage.name, &usage.usage_quantity) {
            println!("{name}: {quantity}");
        }
    }
    Ok(())
}
