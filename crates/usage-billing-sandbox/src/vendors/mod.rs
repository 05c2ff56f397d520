//! The vendors: which requests are theirs, their handlers, their documents and their error responses.

pub(crate) mod acronis;
pub(crate) mod document;
mod error_body;
pub(crate) mod genesys;
mod operation_lookup;
pub(crate) mod suger;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use usage_billing_core::Operation;
use uuid::Uuid;

use self::acronis::Acronis;
use self::genesys::Genesys;
use self::suger::Suger;

/// A vendor whose API the sandbox provides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vendor {
    /// Genesys Cloud: `/oauth/token` and `/api/v2`.
    Genesys,
    /// Suger: `/org`.
    Suger,
    /// Acronis Cyber Protect Cloud: `/api/2`, `/api/price_sync` and `/bc/idp/token`.
    Acronis,
}

/// Identifies a request, as an extension of it.
#[derive(Clone, Copy)]
pub(crate) struct RequestContext {
    /// Number in the log.
    pub(crate) number: u64,
    pub(crate) correlation_id: Uuid,
    pub(crate) vendor: Option<Vendor>,
    pub(crate) operation: Option<&'static Operation>,
}

impl Vendor {
    pub(crate) const ALL: [Self; 3] = [Self::Genesys, Self::Suger, Self::Acronis];

    /// Returns the vendor whose API has a path.
    pub(crate) fn of(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|vendor| match vendor {
            Self::Genesys => Genesys::owns(path),
            Self::Suger => Suger::owns(path),
            Self::Acronis => Acronis::owns(path),
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Genesys => "genesys",
            Self::Suger => "suger",
            Self::Acronis => "acronis",
        }
    }

    /// Returns the vendor's name as the vendor writes it.
    pub(crate) fn full_name(self) -> &'static str {
        match self {
            Self::Genesys => "Genesys Cloud",
            Self::Suger => "Suger",
            Self::Acronis => "Acronis Cyber Protect Cloud",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|vendor| vendor.name() == name)
    }
}

/// The state of all vendors of a sandbox.
pub(crate) struct Vendors {
    pub(crate) genesys: Arc<Genesys>,
    pub(crate) suger: Arc<Suger>,
    pub(crate) acronis: Arc<Acronis>,
}

impl Vendors {
    pub(crate) fn routes(&self) -> Router {
        Router::new().merge(self.genesys.routes()).merge(self.suger.routes()).merge(self.acronis.routes())
    }

    /// Checks the credentials of a request.
    ///
    /// # Errors
    /// The vendor's error response, to be completed with [`Vendor::complete`].
    pub(crate) fn authenticate(&self, vendor: Vendor, request: &Request) -> Result<(), Box<Response>> {
        match vendor {
            Vendor::Genesys => self.genesys.authenticate(request).map_err(|failure| Box::new(failure.into_response())),
            Vendor::Suger => suger::authenticate(request).map_err(|failure| Box::new(failure.into_response())),
            Vendor::Acronis => self.acronis.authenticate(request),
        }
    }
}
