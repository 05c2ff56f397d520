//! Needs: cargo add usage-billing-suger; cargo add tokio --features macros,rt
use usage_billing_suger::{Client, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = Client::builder("demo-suger-key".to_owned());
    let client = client.base_url("http://127.0.0.1:8080").build()?;
    for buyer in client.list_buyers().org_id("sgr-demo1").send().await?.iter() {
        if let (Some(id), Some(name)) = (&buyer.id, &buyer.name) {
            println!("{id}: {name}");
        }
    }
    Ok(())
}
