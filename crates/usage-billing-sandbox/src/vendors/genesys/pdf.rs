//! The smallest PDF that viewers open: one page of lines.

/// Contains Latin text in a standard font only: other scripts would need an embedded font.
pub(super) fn of(lines: &[String]) -> Vec<u8> {
    let shown = lines.iter().map(|line| format!("({}) '\n", escaped(line)));
    let content = format!("BT /F1 9 Tf 14 TL 50 800 Td\n{}ET", shown.collect::<String>());
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut file = "%PDF-1.4\n".to_owned();
    let mut places = String::new();
    for (object, number) in objects.iter().zip(1..) {
        places += &format!("{:010} 00000 n \n", file.len());
        file += &format!("{number} 0 obj\n{object}\nendobj\n");
    }
    let (count, table) = (objects.len() + 1, file.len());
    file += &format!("xref\n0 {count}\n0000000000 65535 f \n{places}");
    file += &format!("trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n");
    file.into_bytes()
}

fn escaped(line: &str) -> String {
    line.chars()
        .flat_map(|char| match char {
            '(' | ')' | '\\' => vec!['\\', char],
            ' '..='~' => vec![char],
            _ => vec!['?'],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pdf_offsets_match_the_table() {
        let file = String::from_utf8(of(&["a (b) \\ 株".to_owned(), "c".to_owned()])).unwrap();
        assert!(file.contains("(a \\(b\\) \\\\ ?) '\n(c) '"), "{file}");
        let table = file.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
        assert!(file[table..].starts_with("xref\n0 6\n"));
        for (entry, number) in file[table..].lines().skip(3).take(5).zip(1..) {
            let index: usize = entry[..10].parse().unwrap();
            assert!(file[index..].starts_with(&format!("{number} 0 obj\n")), "{entry}");
        }
    }
}
