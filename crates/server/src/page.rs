//! The status page: plain HTML made here, readable without JavaScript and without a network.

mod format;

use crate::status::{Entrance, HospitalStatus, StatusSnapshot};
use format::{age, bytes, count, escape, percent};
use std::fmt::Write as _;

pub(crate) const STYLE: &str = include_str!("page/page.css");
pub(crate) const SCRIPT: &str = include_str!("page/page.js");

/// Renders the page. `host` is how the reader reached it; it stands in for an address that means
/// "every address of this machine".
pub(crate) fn render(status: &StatusSnapshot, host: &str) -> String {
    let mut page = Page(String::with_capacity(16 << 10));
    page.put(HEAD);
    page.header(status);
    page.put("<main id=\"main\">\n");
    page.problems(status);
    page.totals(status);
    if total(status, |hospital| hospital.received) == 0 {
        page.put("<section class=\"empty\">\n<h2>No study has arrived yet</h2>\n");
        page.put(
            "<p>Push the first one with any of these. <code>$TOKEN</code> stands for the token \
            that the hospital was given.</p>\n",
        );
        page.commands(status, host);
        page.put("</section>\n");
        page.hospitals(status);
    } else {
        page.hospitals(status);
        page.quarantine(status);
        page.releases(status);
        page.put("<details id=\"push\">\n<summary>How to push a study</summary>\n");
        page.commands(status, host);
        page.put("</details>\n");
    }
    page.put(FOOT);
    page.0
}

const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
    <meta name=\"color-scheme\" content=\"light dark\">\n\
    <noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript>\n\
    <title>scanveil status</title>\n<link rel=\"stylesheet\" href=\"/page.css\">\n\
    <script src=\"/page.js\" defer></script>\n</head>\n<body>\n";

const FOOT: &str = "</main>\n<footer><p>The page renews itself. The same as data: \
    <a href=\"/api/status\">/api/status</a>, <a href=\"/metrics\">/metrics</a>.</p></footer>\n\
    </body>\n</html>\n";

fn total(status: &StatusSnapshot, of: impl Fn(&HospitalStatus) -> u64) -> u64 {
    status.hospitals.iter().map(of).sum()
}

struct Page(String);

impl Page {
    fn put(&mut self, text: &str) {
        self.0.push_str(text);
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.0.write_fmt(line);
        self.0.push('\n');
    }

    fn header(&mut self, status: &StatusSnapshot) {
        let (class, word) = match (status.ready, status.problems.is_empty()) {
            (false, _) => ("bad", "not ready"),
            (true, false) => ("warn", "receiving, but needs attention"),
            (true, true) => ("good", "receiving"),
        };
        let up = u64::try_from(status.taken_at_ms - status.started_at_ms).unwrap_or(0);
        self.line(format_args!(
            "<header>\n<h1>scanveil</h1>\n<p class=\"state {class}\" id=\"state\">{word}</p>\n\
             <p class=\"about\">version {}, up for {}</p>\n</header>",
            escape(&status.version),
            age(up)
        ));
    }

    fn problems(&mut self, status: &StatusSnapshot) {
        if status.problems.is_empty() {
            return;
        }
        self.put("<section class=\"problems\" role=\"status\">\n<h2>Needs attention</h2>\n<ul>\n");
        for problem in &status.problems {
            self.line(format_args!(
                "<li><strong>{}</strong> <code>{}</code><br>{}</li>",
                escape(&problem.message),
                escape(&problem.code),
                escape(&problem.next_step)
            ));
        }
        self.put("</ul>\n</section>\n");
    }

    fn totals(&mut self, status: &StatusSnapshot) {
        let received = total(status, |hospital| hospital.received);
        let stored = total(status, |hospital| hospital.stored.instances);
        let stored_bytes = total(status, |hospital| hospital.stored.bytes);
        let held = total(status, |hospital| hospital.held_back);
        let spool = &status.spool;
        let oldest = match spool.oldest_waiting_ms {
            Some(ms) => format!("oldest {}", age(ms)),
            None => "nothing waits".to_owned(),
        };
        self.put("<dl class=\"tiles\">\n");
        for (name, number, note) in [
            ("Received", received, "duplicates included".to_owned()),
            ("Waiting", spool.waiting, oldest),
            ("Stored de-identified", stored, bytes(stored_bytes)),
            ("In quarantine", held, percent_note(held, received)),
        ] {
            self.line(format_args!(
                "<div><dt>{name}</dt><dd>{}<small>{note}</small></dd></div>",
                count(number)
            ));
        }
        let used = percent(spool.used_bytes, spool.max_bytes);
        self.line(format_args!(
            "<div><dt>Spool</dt><dd>{used}<small>{} of {}</small></dd>\
             <meter min=\"0\" max=\"100\" low=\"70\" high=\"90\" optimum=\"0\" value=\"{}\" \
             aria-label=\"spool use\">{used}</meter></div>\n</dl>",
            bytes(spool.used_bytes),
            bytes(spool.max_bytes),
            u128::from(spool.used_bytes) * 100 / u128::from(spool.max_bytes.max(1)),
        ));
    }

    fn table(&mut self, title: &str, heads: &[(&str, bool)]) {
        self.line(format_args!(
            "<section>\n<h2>{title}</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" \
             aria-label=\"{title}\">\n<table>\n<thead><tr>"
        ));
        for (head, number) in heads {
            let class = if *number { " class=\"n\"" } else { "" };
            self.line(format_args!("<th scope=\"col\"{class}>{head}</th>"));
        }
        self.put("</tr></thead>\n<tbody>\n");
    }

    fn end_table(&mut self) {
        self.put("</tbody>\n</table>\n</div>\n</section>\n");
    }

    fn hospitals(&mut self, status: &StatusSnapshot) {
        if status.hospitals.is_empty() {
            self.put(
                "<section>\n<h2>Hospitals</h2>\n<p>No hospital is configured. Add one to the \
                configuration, then start the service again.</p>\n</section>\n",
            );
            return;
        }
        self.table(
            "Hospitals",
            &[
                ("Hospital", false),
                ("AE title", false),
                ("Received", true),
                ("Waiting", true),
                ("Oldest", true),
                ("Last arrival", true),
                ("Quarantined", true),
                ("Stored", true),
                ("Bytes stored", true),
            ],
        );
        for hospital in &status.hospitals {
            let ae = hospital.called_ae.as_ref().map_or("", |ae| ae.as_str());
            self.line(format_args!(
                "<tr><th scope=\"row\">{}</th><td><code>{}</code></td>{}{}{}{}{}{}{}</tr>",
                hospital.hospital,
                escape(ae),
                number(hospital.received),
                number(hospital.waiting),
                cell(&hospital.oldest_waiting_ms.map_or_else(never, age)),
                cell(&hospital.last_arrival_at_ms.map_or_else(never, |at| ago(status, at))),
                number(hospital.held_back),
                number(hospital.stored.instances),
                cell(&bytes(hospital.stored.bytes)),
            ));
        }
        self.end_table();
    }

    fn quarantine(&mut self, status: &StatusSnapshot) {
        if total(status, |hospital| hospital.held_back) == 0 {
            self.put("<section>\n<h2>Quarantine</h2>\n<p>Nothing is held back.</p>\n</section>\n");
            return;
        }
        let heads =
            [("Hospital", false), ("Reason", false), ("Instances", true), ("Next step", false)];
        self.table("Quarantine", &heads);
        for hospital in &status.hospitals {
            for reason in hospital.quarantined.iter().filter(|reason| reason.instances > 0) {
                self.line(format_args!(
                    "<tr><th scope=\"row\">{}</th><td><code>{}</code></td>{}<td>{}</td></tr>",
                    hospital.hospital,
                    reason.code,
                    number(reason.instances),
                    escape(reason.code.next_step()),
                ));
            }
        }
        self.end_table();
    }

    fn releases(&mut self, status: &StatusSnapshot) {
        if status.releases.is_empty() {
            self.put(
                "<section>\n<h2>Releases</h2>\n<p>None yet. Make one with \
                <code>scanveil release create --project NAME --out FOLDER</code>.</p>\n\
                </section>\n",
            );
            return;
        }
        self.table(
            "Releases",
            &[
                ("Project", false),
                ("Release", false),
                ("Instances", true),
                ("Bytes", true),
                ("Made", true),
            ],
        );
        for release in &status.releases {
            self.line(format_args!(
                "<tr><th scope=\"row\">{}</th><td><code>{}</code></td>{}{}{}</tr>",
                release.project,
                escape(&release.id),
                number(release.volume.instances),
                cell(&bytes(release.volume.bytes)),
                cell(&ago(status, release.created_at_ms)),
            ));
        }
        self.end_table();
    }

    fn commands(&mut self, status: &StatusSnapshot, host: &str) {
        let called = status.hospitals.iter().find_map(|hospital| hospital.called_ae.as_ref());
        if let (Some(dicom), Some(called)) = (status.dicom, called) {
            let (name, port) = (reach(dicom, host), dicom.address.port());
            let tls = if dicom.tls { " +tls client.key client.crt +cf ca.crt" } else { "" };
            self.command(
                "By C-STORE, from a modality or a PACS (DCMTK)",
                &format!("storescu{tls} -v -aec '{}' {name} {port} image.dcm", called.as_str()),
            );
        }
        if let Some(web) = status.web {
            let scheme = if web.tls { "https" } else { "http" };
            let name = reach(web, host);
            let name = if name.contains(':') { format!("[{name}]") } else { name };
            let base = format!("{scheme}://{name}:{}", web.address.port());
            let token = "-H \"Authorization: Bearer $TOKEN\"";
            self.command(
                "By STOW-RS, one instance (curl)",
                &format!(
                    "curl {token} -H 'Content-Type: application/dicom' \\\n    \
                     --data-binary @image.dcm {base}/studies"
                ),
            );
            self.command(
                "A whole study as a zip archive (curl)",
                &format!(
                    "curl {token} -H 'Content-Type: application/zip' \\\n    \
                     -T study.zip -X POST {base}/upload"
                ),
            );
        }
    }

    fn command(&mut self, title: &str, line: &str) {
        self.line(format_args!("<h3>{title}</h3>\n<pre><code>{}</code></pre>", escape(line)));
    }
}

/// The name to reach an entrance by.
fn reach(entrance: Entrance, host: &str) -> String {
    let ip = entrance.address.ip();
    if ip.is_unspecified() { host.to_owned() } else { ip.to_string() }
}

fn number(number: u64) -> String {
    let class = if number == 0 { "n zero" } else { "n" };
    format!("<td class=\"{class}\">{}</td>", count(number))
}

fn cell(text: &str) -> String {
    format!("<td class=\"n\">{text}</td>")
}

/// What did not happen yet.
fn never() -> String {
    "\u{2013}".to_owned()
}

fn ago(status: &StatusSnapshot, at_ms: i64) -> String {
    format!("{} ago", age(u64::try_from(status.taken_at_ms - at_ms).unwrap_or(0)))
}

fn percent_note(part: u64, whole: u64) -> String {
    if whole == 0 {
        "nothing yet".to_owned()
    } else {
        format!("{} of received", percent(part, whole))
    }
}

#[cfg(test)]
pub(crate) mod tests;
