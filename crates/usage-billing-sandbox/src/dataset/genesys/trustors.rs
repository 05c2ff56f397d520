//! Client organizations that trust the partner, and the amounts due from them.

use chrono::NaiveDate;
use usage_billing_core::Decimal;
use usage_billing_genesys::types;

use super::Partner;
use super::api_requests::organization_id;
use super::contracts::partner;
use super::customers::Customer;
use super::licences::Person;
use super::periods::Calendar;
use crate::dataset::midnight;

/// The amount due from a client organization for one charge of one billing period.
pub(crate) struct AmountDue<'a> {
    pub(crate) organization_id: &'a str,
    pub(crate) organization_name: &'a str,
    pub(crate) part_number: &'static str,
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) overage: Decimal,
    pub(crate) amount: Decimal,
    pub(crate) currency: &'static str,
}

impl Partner {
    pub(crate) fn own_organization(&self) -> types::Organization {
        types::Organization {
            id: Some(organization_id()),
            name: partner().name,
            default_language: Some("en-us".to_owned()),
            default_country_code: Some("US".to_owned()),
            third_party_org_name: Some("northwind-cloud".to_owned()),
            domain: Some("northwind-cloud".to_owned()),
            version: Some(41),
            state: Some(types::OrganizationState::Active),
            voicemail_enabled: Some(true),
            product_platform: Some(types::ProductPlatform::PureCloud),
            features: [("contactCenter".to_owned(), true), ("hipaa".to_owned(), false)].into(),
            self_uri: Some("/api/v2/organizations/me".to_owned()),
            ..Default::default()
        }
    }

    /// Iterates over the customers that trust the partner.
    pub(crate) fn trustors(&self, calendar: Calendar) -> impl Iterator<Item = types::Trustor> {
        let creator = Person { group: 2, number: 0 }.id();
        self.customers.iter().filter(|customer| customer.trusts_partner).map(move |customer| types::Trustor {
            id: Some(customer.id.clone()),
            enabled: Some(true),
            date_created: Some(midnight(customer.contract_start(calendar))),
            created_by: Some(types::DomainEntityRef { id: Some(creator.clone()), ..Default::default() }),
            organization: Some(types::Organization {
                id: Some(customer.id.clone()),
                name: Some(customer.name.clone()),
                ..Default::default()
            }),
            authorization: None,
            self_uri: Some(format!("/api/v2/orgauthorization/trustors/{}", customer.id)),
        })
    }

    /// Returns the amounts due for billing periods that begin within two days, both included, and have ended.
    pub(crate) fn amounts_due(&self, calendar: Calendar, first: NaiveDate, last: NaiveDate) -> Vec<AmountDue<'_>> {
        let trusting = self.customers.iter().filter(|customer| customer.trusts_partner);
        trusting.flat_map(|customer| self.amounts_due_of(customer, calendar, first, last)).collect()
    }

    fn amounts_due_of<'a>(
        &self,
        customer: &'a Customer,
        calendar: Calendar,
        first: NaiveDate,
        last: NaiveDate,
    ) -> Vec<AmountDue<'a>> {
        let periods = customer.periods(calendar).into_iter();
        let closed = periods.filter(|period| period.closed && (first..=last).contains(&period.first));
        let amounts = closed.flat_map(|period| customer.amounts(self.seed, calendar, period));
        let due = amounts.map(|amount| AmountDue {
            organization_id: &customer.id,
            organization_name: &customer.name,
            part_number: amount.charge.part_number,
            name: amount.charge.name,
            unit: amount.charge.unit,
            overage: amount.overage,
            amount: amount.prepaid_amount + amount.overage_amount,
            currency: customer.currency,
        });
        due.collect()
    }
}
