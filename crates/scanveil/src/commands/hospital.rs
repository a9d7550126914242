//! `scanveil hospital`.

use crate::cli::HospitalCommand;
use crate::output::{Failure, Output, bytes, table};
use scanveil_catalog::Stage;
use scanveil_ingest::generate_token;
use scanveil_pipeline::OsEntropy;
use scanveil_seal::Entropy;
use std::process::ExitCode;

pub(crate) fn run(command: &HospitalCommand, output: &Output) -> Result<ExitCode, Failure> {
    match command {
        HospitalCommand::List(arg) => {
            let site = super::site(arg)?;
            let counters = site.catalog().counters()?;
            output.result(&counters, || {
                let mut table = table(&[
                    "hospital",
                    "received",
                    "duplicates",
                    "scrubbed",
                    "quarantined",
                    "objects",
                    "bytes",
                ]);
                for hospital in &site.config().hospitals {
                    let of = |stage| {
                        let found =
                            counters.iter().find(|c| c.hospital == hospital.id && c.stage == stage);
                        found.map_or(0, |c| c.total)
                    };
                    table.add_row([
                        hospital.id.to_string(),
                        of(Stage::Received).to_string(),
                        of(Stage::Duplicate).to_string(),
                        of(Stage::Scrubbed).to_string(),
                        of(Stage::Quarantined).to_string(),
                        of(Stage::Stored).to_string(),
                        bytes(of(Stage::StoredBytes)),
                    ]);
                }
                table.to_string()
            });
        }
        HospitalCommand::Token => {
            let (token, digest) = generate_token(&|bytes| OsEntropy.fill(bytes));
            let digest = digest.to_string();
            output.result(&serde_json::json!({ "token": token, "digest": digest }), || {
                format!(
                    "token   {token}\ndigest  {digest}\n\nGive the token to the sender: it is shown \
                     this once. Put the digest into the\nhospital's entry: tokens = [\"{digest}\"]"
                )
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}
