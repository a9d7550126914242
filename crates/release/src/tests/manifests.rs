use super::fixture::World;
use crate::manifest::Document;

#[test]
fn the_manifest_reads_back_as_it_was_written() {
    let world = World::filled();
    let manifest = world.create(&world.request()).unwrap();
    let json = std::fs::read(world.out().join("manifest.json")).unwrap();
    assert_eq!(Document::read(&json).unwrap(), manifest.0);
    let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    let wanted = [
        "certificates",
        "created_at",
        "engine",
        "instances",
        "left_out",
        "list_digest",
        "profile",
        "project",
        "release",
        "totals",
        "version",
    ];
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, wanted);
    // Every field has to be there.
    for key in wanted {
        let mut less = value.clone();
        less.as_object_mut().unwrap().remove(key);
        assert!(Document::read(less.to_string().as_bytes()).is_err(), "{key}");
    }
    // Neither where it came from nor what it was made of: nothing here leads back.
    let instance = value["instances"][0].as_object().unwrap();
    assert!(!instance.contains_key("hospital") && !instance.contains_key("source"));
}
