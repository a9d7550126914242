//! What the guide says of the container and of the service is what their files say.

use crate::tree::{none, read};
use std::collections::BTreeSet;

/// The words behind an instruction of the Dockerfile.
fn instruction(name: &str) -> BTreeSet<String> {
    let text = read("Dockerfile");
    let lines = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let words = lines.flat_map(|line| line.split([' ', ',', '[', ']', '"']));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The commands of the guide, lines that go on joined.
fn commands() -> Vec<String> {
    let text = read("docs/operator-guide.md").replace("\\\n", " ");
    text.lines().map(str::to_owned).collect()
}

/// What stands behind an option in `docker run`.
fn published(option: &str) -> BTreeSet<String> {
    let commands = commands();
    let run = commands.iter().filter(|line| line.starts_with("docker run"));
    let words: Vec<String> = run.flat_map(|l| l.split_whitespace().map(str::to_owned)).collect();
    let values = words.windows(2).filter(|pair| pair[0] == option);
    let inside = |pair: &[String]| pair[1].trim_matches('"').split(':').nth(1).map(str::to_owned);
    values.filter_map(inside).collect()
}

#[test]
fn the_container_publishes_and_keeps_what_the_guide_says() {
    assert_eq!(published("-p"), instruction("EXPOSE"));
    let mounted = published("-v");
    let kept: BTreeSet<String> =
        mounted.iter().filter(|path| *path != "/etc/scanveil").cloned().collect();
    assert_eq!(kept, instruction("VOLUME"));
    assert!(mounted.contains("/etc/scanveil"));
    let example = read("docs/example.toml");
    let ports = example.lines().filter_map(|line| {
        // What listens on loopback is for commands in the container.
        let (_, address) = line.trim_start_matches("# ").split_once("listen = \"0.0.0.0:")?;
        address.split('"').next().map(str::to_owned)
    });
    let ports: BTreeSet<String> = ports.collect();
    assert!(ports.len() > 1, "the example listens on {ports:?}");
    let missing: Vec<String> = ports.difference(&instruction("EXPOSE")).cloned().collect();
    none("the Dockerfile does not expose what docs/example.toml listens on", &missing);
}

#[test]
fn releases_of_the_container_go_where_it_may_write() {
    let folders: Vec<String> = commands()
        .iter()
        .filter(|line| line.starts_with("docker exec") && line.contains(" --out "))
        .filter_map(|line| {
            line.split(" --out ").nth(1)?.split_whitespace().next().map(str::to_owned)
        })
        .collect();
    assert!(!folders.is_empty());
    let kept = instruction("VOLUME");
    let lost: Vec<String> = folders
        .into_iter()
        .filter(|folder| !kept.iter().any(|volume| folder.starts_with(&format!("{volume}/"))))
        .collect();
    none("a command of the guide writes where the container keeps nothing", &lost);
}

#[test]
fn the_service_starts_what_the_guide_installs() {
    let unit = read("deploy/scanveil.service");
    let commands = commands();
    for path in ["/usr/local/bin/scanveil", "/etc/scanveil/scanveil.toml"] {
        assert!(unit.contains(path) && commands.iter().any(|line| line.contains(path)), "{path}");
    }
    let state = unit.lines().find_map(|line| line.strip_prefix("StateDirectory="));
    let data = format!("data_dir = \"/var/lib/{}\"", state.unwrap_or_default());
    assert!(commands.iter().any(|line| line.contains(&data)), "{data}");
}
