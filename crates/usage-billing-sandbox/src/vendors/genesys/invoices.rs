//! Invoices, their lines and their documents (preview).

use axum::extract::{Path, State};
use http::{HeaderMap, StatusCode, Uri, header};
use usage_billing_genesys::types;
use usage_billing_genesys::types::{
    BillingInvoicePaymentStatus as Status, BillingInvoicePaymentStatusFilter as Wanted,
};
use uuid::Uuid;

use super::contracts::{DEFAULT_LIST, days};
use super::error::Failure;
use super::pagination::{self, PageRequest, listing};
use super::{Genesys, HandlerResult, MAX_LIST, Shared, pdf};
use crate::dataset;
use crate::http_util::request::Params;
use crate::http_util::response::{ok, with_body};

/// Path of documents. At the vendor they are on another host, which needs no tokens.
pub(super) const DOCUMENTS: &str = "/genesys/invoices/";

pub(super) async fn list(State(genesys): Shared, query: Params, uri: Uri) -> HandlerResult {
    let page_request = PageRequest::read(&query, DEFAULT_LIST, MAX_LIST)?;
    let (from, to) = days(&query)?;
    let expected = match query.get("paymentStatus") {
        None => None,
        Some(text) => match Wanted::from(text) {
            Wanted::Paid => Some(Status::Paid),
            Wanted::UnPaid => Some(Status::Unpaid),
            _ => return Err(Failure::no_such_value(text)),
        },
    };
    let mut invoices: Vec<_> =
        genesys.dataset.genesys.invoices(genesys.calendar()).into_iter().map(|invoice| invoice.head).collect();
    invoices.retain(|invoice| {
        invoice.date_invoiced >= from
            && to.is_none_or(|to| invoice.date_invoiced <= Some(to))
            && (expected.is_none() || invoice.payment_status == expected)
    });
    Ok(listing!(BillingInvoiceListing, page_request.of(invoices), uri))
}

pub(super) async fn lines(State(genesys): Shared, Path(id): Path<String>, query: Params, uri: Uri) -> HandlerResult {
    let page_request = PageRequest::read(&query, DEFAULT_LIST, MAX_LIST)?;
    Ok(listing!(BillingInvoiceItemListing, page_request.of(genesys.invoice(&id)?.lines), uri))
}

/// Returns the address of the file, on the host of the request.
pub(super) async fn document(State(genesys): Shared, Path(id): Path<String>, headers: HeaderMap) -> HandlerResult {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.ok_or_else(|| Failure::bad_request("The request has no Host header."))?;
    genesys.invoice(&id)?;
    let url = format!("http://{host}{DOCUMENTS}{}?signature={}", pagination::escaped(&id), genesys.signature(&id));
    Ok(ok(&types::UrlResponse { url: Some(url.into()) }))
}

/// Returns the file, which needs no token.
pub(super) async fn file(State(genesys): Shared, Path(id): Path<String>, query: Params) -> HandlerResult {
    if query.get("signature") != Some(&genesys.signature(&id)) {
        let message = "The address is not signed as it should be.";
        return Err(Failure::new(StatusCode::FORBIDDEN, "not.authorized", message));
    }
    Ok(with_body(StatusCode::OK, "application/pdf", pdf::of(&printed(&genesys.invoice(&id)?))))
}

impl Genesys {
    fn invoice(&self, id: &str) -> Result<dataset::genesys::Invoice, Failure> {
        self.dataset.genesys.invoice(self.calendar(), id).ok_or_else(|| Failure::not_found(id))
    }

    fn signature(&self, id: &str) -> String {
        Uuid::new_v5(&self.realm, format!("invoice/{id}").as_bytes()).simple().to_string()
    }
}

/// Returns the invoice as lines of text.
fn printed(invoice: &dataset::genesys::Invoice) -> Vec<String> {
    let (head, currency) = (&invoice.head, invoice.head.currency_iso_code.as_deref().unwrap_or_default());
    let title = [
        format!("Invoice {}", head.id.as_deref().unwrap_or_default()),
        head.date_invoiced.map(|day| day.to_string()).unwrap_or_default(),
    ];
    let lines = invoice.lines.iter().map(|line| {
        let number = |number: Option<usage_billing_core::DecimalNumber>| number.unwrap_or_default().0;
        let (text, quantity, amount) =
            (line.description.as_deref().unwrap_or_default(), number(line.quantity), number(line.amount));
        format!("{text}: {quantity}, {amount} {currency}")
    });
    let total = format!("Total: {} {currency}", head.amount.unwrap_or_default().0);
    title.into_iter().chain(lines).chain([total]).collect()
}
