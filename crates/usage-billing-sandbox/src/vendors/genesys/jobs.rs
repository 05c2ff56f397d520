//! API requests by jobs: start a job of the organization or one client, poll it, read its pages.

use axum::extract::{Path, State};
use http::{StatusCode, Uri};
use usage_billing_genesys::types;
use usage_billing_genesys::types::UsageJobStatus;

use super::aggregation::Row;
use super::error::Failure;
use super::job::Job;
use super::pagination::{self, PageRequest};
use super::{Genesys, HandlerResult, MAX_PAGE, Shared, job_request};
use crate::http_util::request::{Params, RequestBody};
use crate::http_util::response::json;

const DEFAULT_PAGE: usize = 100;

pub(super) async fn start(State(genesys): Shared, body: RequestBody) -> HandlerResult {
    let job = job_request::of_organization(body.declared_json()?, genesys.dataset.today(), genesys.progress())?;
    let id = genesys.add_job(job);
    let path = format!("/api/v2/usage/aggregates/query/jobs/{id}");
    let started =
        types::OrganizationUsageQueryResponse { id, name: None, results_uri: Some(path.clone()), self_uri: Some(path) };
    Ok(json(genesys.accepted_status(), &started))
}

pub(super) async fn start_of_client(
    State(genesys): Shared,
    Path(client): Path<String>,
    body: RequestBody,
) -> HandlerResult {
    let job = job_request::of_client(body.declared_json()?, &client, genesys.dataset.today(), genesys.progress())?;
    let id = genesys.add_job(job);
    let path = format!("/api/v2/usage/client/{}/aggregates/query/jobs/{id}", pagination::escaped(&client));
    let started =
        types::ClientUsageQueryResponse { id, name: None, results_uri: Some(path.clone()), self_uri: Some(path) };
    Ok(json(genesys.accepted_status(), &started))
}

pub(super) async fn job(State(genesys): Shared, Path(id): Path<String>, query: Params, uri: Uri) -> HandlerResult {
    let polled = genesys.poll(None, &id, &query)?;
    let body = types::OrganizationPublicApiUsageResultsResponse {
        name: None,
        error_body: polled.error(),
        next_uri: polled.next.as_deref().map(|cursor| pagination::link(&uri, "after", cursor)),
        entities: polled.rows().map(|rows| rows.iter().map(|row| polled.job.row_of_organization(row)).collect()),
        self_uri: Some(pagination::this(&uri)),
        query_status: polled.status.clone(),
    };
    Ok(json(polled.code(), &body))
}

pub(super) async fn job_of_client(
    State(genesys): Shared,
    Path((client, id)): Path<(String, String)>,
    query: Params,
    uri: Uri,
) -> HandlerResult {
    let polled = genesys.poll(Some(client), &id, &query)?;
    let body = types::ClientPublicApiUsageResultsResponse {
        name: None,
        error_body: polled.error(),
        next_uri: polled.next.as_deref().map(|cursor| pagination::link(&uri, "after", cursor)),
        entities: polled.rows().map(|rows| rows.iter().map(|row| polled.job.row_of_client(row)).collect()),
        self_uri: Some(pagination::this(&uri)),
        query_status: polled.status.clone(),
    };
    Ok(json(polled.code(), &body))
}

/// The result of a poll: the status and, after success, a page of rows.
struct Polled {
    job: Job,
    status: UsageJobStatus,
    rows: Vec<Row>,
    next: Option<String>,
}

impl Genesys {
    fn add_job(&self, job: Job) -> String {
        let mut jobs = self.jobs();
        let id = jobs.new_id(self.realm);
        jobs.aggregations.insert(id.clone(), job);
        id
    }

    fn poll(&self, client: Option<String>, id: &str, query: &Params) -> Result<Polled, Failure> {
        let page_request = PageRequest::read(query, DEFAULT_PAGE, MAX_PAGE)?;
        let job = {
            let jobs = &mut self.jobs().aggregations;
            let job = jobs.get_mut(&id.to_owned()).filter(|job| job.client == client);
            let job = job.ok_or_else(|| Failure::not_found(id))?;
            job.progress.poll();
            job.clone()
        };
        let status = job.status(self.is_done(&job.progress));
        let rows = if status == UsageJobStatus::Succeeded { job.rows(&self.dataset.genesys) } else { Vec::new() };
        let page = page_request.of(rows);
        Ok(Polled { job, status, rows: page.rows, next: page.next })
    }
}

impl Polled {
    /// Returns the rows of a job that has succeeded: the response to another has no list.
    fn rows(&self) -> Option<&[Row]> {
        (self.status == UsageJobStatus::Succeeded).then_some(&self.rows)
    }

    /// Returns 200 after success; failed and running jobs both have 202.
    fn code(&self) -> StatusCode {
        if self.status == UsageJobStatus::Succeeded { StatusCode::OK } else { StatusCode::ACCEPTED }
    }

    fn error(&self) -> Option<types::ErrorBody> {
        (self.status == UsageJobStatus::Failed).then(|| types::ErrorBody {
            message: Some("There is no such OAuth client.".to_owned()),
            code: Some("not.found".to_owned()),
            status: Some(404),
            entity_id: self.job.client.clone(),
            ..Default::default()
        })
    }
}
