//! Names of customers, as awkward as real ones: commas, quotes, semicolons, letters of many scripts.

use super::seed::Seed;

const WORDS: [&str; 24] = [
    "Alder", "Birch", "Cobalt", "Delta", "Ember", "Falcon", "Granite", "Heron", "Indigo", "Juniper", "Kelp", "Lantern",
    "Maple", "Nimbus", "Orchard", "Pebble", "Quarry", "Raven", "Saffron", "Thistle", "Umber", "Violet", "Willow",
    "Zephyr",
];
const TRADES: [&str; 12] = [
    "Bakery",
    "Clinic",
    "Dental",
    "Freight",
    "Foods",
    "Insurance",
    "Logistics",
    "Optics",
    "Print",
    "Retail",
    "Schools",
    "Tools",
];
/// Number of formats of names; neighbours have different ones.
const FORMS: u64 = 10;

/// Returns the name of a customer, which is unique within its kind.
pub(super) fn company(seed: Seed, kind: u64, number: u64) -> String {
    let pick = |what: u64, list: &[&'static str]| {
        let at = seed.mix(&[71, kind, number, what]) % list.len() as u64;
        list.get(usize::try_from(at).unwrap_or_default()).copied().unwrap_or_default()
    };
    let (word, other, trade) = (pick(0, &WORDS), pick(1, &WORDS), pick(2, &TRADES));
    // The number makes names unique; random words alone would repeat among some hundreds.
    match number % FORMS {
        0 => format!("{word} {trade}, Inc. {number}"),
        1 => format!("{word} & {other}, \"{trade} {number}\" Ltd."),
        2 => format!("株式会社さくら {word} {number}"),
        3 => format!("{word} {trade} {number}"),
        4 => format!("Ødegård & Søn; {word} {number} ApS"),
        5 => format!("Группа «{word}», № {number}"),
        6 => format!("شركة {word} {number}"),
        7 => format!("O'{word} {trade} {number}"),
        8 => format!("{word}-Größe {trade} {number} GmbH & Co. KG"),
        _ => format!("{word} \\ {other} / {trade} {number}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_distinct_awkward_and_depend_on_the_seed() {
        let names = |seed| -> Vec<String> { (0..1_000).map(|number| company(Seed::new(seed), 1, number)).collect() };
        let (one, other) = (names(1), names(2));
        assert_eq!(one.iter().collect::<HashSet<_>>().len(), one.len());
        assert!(one.iter().zip(&other).filter(|(one, other)| one == other).count() < 100);
        for awkward in [',', '"', ';', 'さ', 'Г', 'ش', '\'', '\\'] {
            assert!(one[..10].iter().any(|name| name.contains(awkward)), "{awkward}");
        }
    }
}
