use crate::{Cleaner, Known};

fn cleaned(text: &str) -> String {
    Cleaner::new(&[]).clean_structure(&Known::nothing(), text).text.into_owned()
}

#[test]
fn names_of_structures_stay() {
    let names = [
        "Glnd_Submand_L",
        "Cartlg_Cricoid",
        "LN_Pelv_R",
        "Musc_Sclmast_R",
        "Sinus_Maxilry_L",
        "Bone_Mandbl",
        "Hypothalmus",
        "Urethra_Prostatc",
        "LumbarPlex",
        "Softpalate",
        "Bowelwall",
        "PTVeval",
        "PTVopt_5040",
        "zPTV_crop",
        "CTVn_4500",
        "GTVp_CT2",
        "IRCTV",
        "OpticNrv_PRV03_L",
        "SpinalCord-05",
        "Lungs-ITV",
        "Eval_PTV!",
        "Dose_95[%]",
        "~Kidney_Hilum_L",
        "Carotids",
        "Perirectal_LN",
    ];
    let changed: Vec<_> = names.iter().filter(|name| cleaned(name) != **name).collect();
    assert!(changed.is_empty(), "{changed:?}");
}

#[test]
fn names_of_people_go_from_names_of_structures() {
    let names = [
        ("PTV_Garrowby", "PTV"),
        ("CTV Smith", "CTV"),
        ("Lung_L Dr Marchbanks", "Lung_L"),
        ("PTVFennimore", "PTV"),
        ("Garrowby^Ottoline PTV", "PTV"),
        ("Heart_JOHNSON", "Heart"),
        ("PTV 1234567", "PTV"),
        ("Patel_PTV", "PTV"),
        ("Hipp", ""),
        ("GTV drawn by Ottoline", "GTV"),
        ("Rectm Rectanus", "Rectm"),
    ];
    for (text, left) in names {
        assert_eq!(cleaned(text), left, "{text}");
    }
}
