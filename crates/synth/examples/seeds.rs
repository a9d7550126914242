//! Writes what the fuzz targets (`fuzz/`) begin with, one folder for each: leak vectors, the
//! documents in them, and small examples of the other formats. Nothing of it is kept.

use scanveil_synth::leak_vectors;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// Longer seeds slow a fuzzer down and show it nothing more.
const MOST_BYTES: usize = 16 << 10;
/// Leak vectors are in this many of each row at most.
const OF_A_ROW: usize = 6;

/// The index of a pack with one instance of 100 bytes (docs/formats/pack.md), behind it.
const INDEX: &str = r#"{"version":1,"zone":"quarantine","hospital":"st-wystan",
"subject":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","project":null,"generation":null,"profile":null,
"patient_pseudonym":null,"study_key":"000102030405060708090a0b0c0d0e0f","received_at_ms":1,
"entries":[{"sop_instance_uid":"2.25.1","sop_class_uid":null,"series_instance_uid":null,
"study_instance_uid":null,"transfer_syntax":null,"offset":0,"length":100,
"digest":"0000000000000000000000000000000000000000000000000000000000000000","source":null,
"reasons":[{"code":"pixel-risk","at":null,"detail":"x"}],"attributes":{}}]}"#;

/// The details of a record of the spool (docs/formats/spool.md).
const DETAILS: &str = r#"{"version":1,"record":"05050505050505050505050505050505",
"digest":"0000000000000000000000000000000000000000000000000000000000000000","length":5,
"meta":{"hospital":"st-wystan","received_at_ms":1,"protocol":"dimse","peer":"192.0.2.7",
"calling":null,"sop_class_uid":null,"sop_instance_uid":"1.2.3","study_instance_uid":null,
"series_instance_uid":null,"transfer_syntax":null,"content":null}}"#;

const CDA: &str = r#"<ClinicalDocument xmlns="urn:hl7-org:v3"><typeId root="2.16.840.1.113883.1.3"
extension="POCD_HD000040"/><id root="1.2.3" extension="A1"/><code code="18748-4"
codeSystem="2.16.840.1.113883.6.1"/><title>CT</title><effectiveTime value="20240301"/>
<confidentialityCode code="N"/><recordTarget><patientRole><id root="1.2.4" extension="M1"/><patient>
<name><given>Ottoline</given><family>Ashgrove</family></name></patient></patientRole></recordTarget>
<component><structuredBody><component><section><title>Findings</title><text><paragraph>No
<content>Ashgrove</content> fracture.</paragraph></text></section></component></structuredBody>
</component></ClinicalDocument>"#;

struct Seeds {
    root: PathBuf,
    written: usize,
}

impl Seeds {
    fn put(&mut self, target: &str, name: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
        if bytes.len() > MOST_BYTES {
            return Ok(());
        }
        let folder = self.root.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), bytes)?;
        self.written += 1;
        Ok(())
    }
}

/// The part of a file from one mark to the end of another.
fn between<'f>(file: &'f [u8], from: &[u8], to: &[u8]) -> Option<&'f [u8]> {
    let find = |bytes: &[u8], mark: &[u8]| bytes.windows(mark.len()).position(|part| part == mark);
    let start = find(file, from)?;
    let end = find(&file[start..], to)? + to.len();
    Some(&file[start..start + end])
}

fn vectors(seeds: &mut Seeds) -> Result<(), Box<dyn Error>> {
    let mut met = [0; 256];
    for (number, vector) in leak_vectors(11)?.iter().enumerate() {
        let file = &vector.instance.file;
        let name = format!("{:02}-{}-{}", vector.row, vector.name, vector.syntax.name());
        if let Some(pdf) = between(file, b"%PDF-", b"%%EOF\n") {
            seeds.put("pdf", &name, pdf)?;
        }
        if let Some(cda) = between(file, b"<ClinicalDocument", b"</ClinicalDocument>") {
            seeds.put("cda", &name, cda)?;
        }
        met[usize::from(vector.row)] += 1;
        if met[usize::from(vector.row)] > OF_A_ROW {
            continue;
        }
        seeds.put("dataset", &name, file)?;
        let profile = [u8::try_from(number % 6)?];
        seeds.put("scrub", &name, &[&profile, file.as_slice()].concat())?;
        seeds.put("zip", &name, &stored_zip(file)?)?;
        seeds.put("multipart", &name, &multipart(file))?;
    }
    Ok(())
}

/// An archive of one member that is not packed; its checksum is wrong, which is found at its end.
fn stored_zip(file: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let length = u32::try_from(file.len())?.to_le_bytes();
    let mut zip = b"PK\x03\x04\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    zip.extend([length, length].concat());
    zip.extend(b"\x05\0\0\0a.dcm");
    zip.extend(file);
    zip.extend(b"PK\x01\x02");
    Ok(zip)
}

fn multipart(file: &[u8]) -> Vec<u8> {
    let mut body = b"multipart/related; type=\"application/dicom\"; boundary=b\n".to_vec();
    body.extend(b"--b\r\nContent-Type: application/dicom\r\n\r\n");
    body.extend(file);
    body.extend(b"\r\n--b--\r\n");
    body
}

/// Command sets in implicit VR little endian (PS3.7 6.3.1).
fn dimse(seeds: &mut Seeds) -> Result<(), Box<dyn Error>> {
    let element = |number: u16, value: &[u8]| {
        let mut bytes = vec![0, 0];
        bytes.extend(number.to_le_bytes());
        bytes.extend((value.len() as u32).to_le_bytes());
        bytes.extend(value);
        bytes
    };
    let store = [
        element(0x0002, b"1.2.840.10008.5.1.4.1.1.2\0"),
        element(0x0100, &[1, 0]),
        element(0x0110, &[9, 0]),
        element(0x0700, &[0, 0]),
        element(0x0800, &[0, 0]),
        element(0x1000, b"1.2.3.4\0"),
    ]
    .concat();
    seeds.put("dimse_command", "store", &store)?;
    let pdata = |flags: u8, bytes: &[u8]| {
        let value = (bytes.len() as u32 + 2).to_be_bytes();
        let pdu = (bytes.len() as u32 + 6).to_be_bytes();
        [&[4, 0][..], &pdu, &value, &[3, flags], bytes].concat()
    };
    let data = b"\x08\0\x16\0UI\x1a\x001.2.840.10008.5.1.4.1.1.2\0\x08\0\x18\0UI\x08\x001.2.3.4\0";
    let release = [5, 0, 0, 0, 0, 4, 0, 0, 0, 0];
    let session = [&[1][..], &pdata(3, &store), &pdata(2, data), &release].concat();
    seeds.put("dimse_session", "store", &session)?;
    let request = [&[0, 1, 0, 0, 0, 0, 68, 0, 1, 0, 0][..], &[b' '; 32], &[0; 32]].concat();
    seeds.put("dimse_session", "request", &request)
}

fn small(seeds: &mut Seeds) -> Result<(), Box<dyn Error>> {
    seeds.put("cda", "letter", CDA.as_bytes())?;
    seeds.put("pack_index", "one", &[&[100][..], &[0; 100], INDEX.as_bytes()].concat())?;
    let details = DETAILS.replace('\n', "");
    seeds.put("spool_record", "one", &[&[0; 24][..], b"\n", details.as_bytes()].concat())?;
    for (name, value) in [
        ("latin1", &b"ISO_IR 100\nM\xfcller"[..]),
        ("japanese", b"\\ISO 2022 IR 87\nYamada=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"),
        ("korean", b"\\ISO 2022 IR 149\nHong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce"),
        ("chinese", b"GB18030\n\xcd\xf5^\xd0\xa1\xb6\xab"),
        ("katakana", b"ISO 2022 IR 13\\ISO 2022 IR 87\n\xd4\xcf\xc0\xde"),
    ] {
        seeds.put("charset", name, value)?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = std::env::args_os().nth(1).ok_or("usage: seeds FOLDER")?;
    let mut seeds = Seeds { root: Path::new(&root).to_path_buf(), written: 0 };
    vectors(&mut seeds)?;
    dimse(&mut seeds)?;
    small(&mut seeds)?;
    if seeds.written < 100 {
        return Err("fewer seeds than there should be".into());
    }
    Ok(())
}
