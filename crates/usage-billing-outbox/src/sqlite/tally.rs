//! Writing the numbers of events by state.

use rusqlite::Transaction;
use usage_billing::Result;

use super::columns::failed;
use crate::store::Tally;

pub(super) fn write_tally(transaction: &Transaction<'_>, tally: Tally) -> Result<()> {
    for change in tally.changes() {
        transaction
            .prepare_cached(
                "INSERT INTO tally (state, events) VALUES (?1, ?2)
                 ON CONFLICT (state) DO UPDATE SET events = events + excluded.events",
            )
            .and_then(|mut statement| statement.execute(change))
            .map_err(failed)?;
    }
    Ok(())
}
