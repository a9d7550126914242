#!/usr/bin/env python3
"""Runs scanveil and its peers beside each other, in one run, on the same made-up files.

Prints Markdown tables and writes benches/results/NAME.json; with --publish it also puts the tables
into benches/README.md. Needs what `scripts/setup bench` installs; a peer that is missing is left
out and named.
"""

import argparse
import datetime
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
MARKS = ("<!-- results: begin -->", "<!-- results: end -->")

# name: (kind for `scanveil synth`, instances, instances with --quick, what it is)
CORPORA = {
    "ct": ("ct", 500, 50, "CT slices of 512x512"),
    "mr": ("mr", 10_000, 500, "MR slices of 64x64"),
    "big": ("big", 1, 1, "multi-frame instance of 500 MB"),
}
# What `gdcmanon --dumb` is told to blank: the twelve attributes most tutorials name.
DUMB = ["10,10", "10,20", "10,30", "10,1000", "10,1040", "8,50", "8,80", "8,81", "8,90", "8,1048",
        "8,1050", "8,1070"]
READY_S = 60.0


class Failed(Exception):
    """A program that was measured did not do its work."""


def wait(process):
    """Waits for one child. Gives its seconds of processor, its peak memory and its exit code."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    # Linux counts in KiB, and starts a child at what this script held when it forked.
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, process.returncode


def start(argv, log, env=None):
    """Starts a child whose output goes to a log file."""
    environment = dict(os.environ, **(env or {}))
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)


def count_files(folder):
    """Files below a folder, without the certificates that scanveil writes beside each study."""
    return sum(name != "certificate.json" for _, _, names in os.walk(folder) for name in names)


def warm(folder):
    """Reads every file once, so that no program pays for the first read."""
    total = 0
    for at, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(at, name), "rb") as file:
                while block := file.read(1 << 20):
                    total += len(block)
    return total


def find(name):
    """A program in .local/bin or on the path."""
    own = os.path.join(ROOT, ".local", "bin", name)
    return own if os.access(own, os.X_OK) else shutil.which(name)


def certificate(work):
    """gdcmanon keeps what it removes, encrypted for this certificate: its profile needs one."""
    path = os.path.join(work, "gdcm.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=bench", "-keyout", os.path.join(work, "gdcm.key"), "-out", path],
        check=True, capture_output=True)
    return path


def scrub_peers(scanveil, work):
    """Name to a function from (input, output) to the command; and who is missing."""
    peers = {"cp -r": lambda i, o: ["cp", "-r", i, o]}
    peers["scanveil scrub"] = lambda i, o: [
        scanveil, "scrub", i, "--out", o, "--secret", i + ".key"]
    peers["scanveil scrub, research"] = lambda i, o: [
        scanveil, "scrub", i, "--out", o, "--secret", i + ".key", "--profile", "research"]
    missing = []
    if (gdcmanon := find("gdcmanon")) and find("openssl"):
        pem = certificate(work)
        common = ["-r", "--continue"]
        blank = [word for tag in DUMB for word in ("--empty", tag)]
        peers["gdcmanon -e"] = lambda i, o: [gdcmanon, "-e", "-c", pem, *common, "-i", i, "-o", o]
        peers["gdcmanon --dumb"] = lambda i, o: [
            gdcmanon, "--dumb", *blank, *common, "-i", i, "-o", o]
    else:
        missing.append("gdcmanon")
    if dcmanon := find("dcmanon"):
        peers["dcmanon"] = lambda i, o: [
            dcmanon, "anonymize", "-r", "--continue", "-i", i, "-o", o]
    else:
        missing.append("dcmanon")
    python = os.path.join(ROOT, ".local", "peers-venv", "bin", "python")
    if os.access(python, os.X_OK):
        script = os.path.join(HERE, "peer_pydcm.py")
        peers["pydcm"] = lambda i, o: [python, script, i, o]
    else:
        missing.append("pydcm")
    return peers, missing


def measure(name, command, source, work, expected):
    """One run of one program over one folder."""
    target = os.path.join(work, "out")
    shutil.rmtree(target, ignore_errors=True)
    if name != "cp -r":
        os.mkdir(target)
    subprocess.run(["sync"], check=True)
    with open(os.path.join(work, "log.txt"), "wb") as log:
        began = time.monotonic()
        cpu, rss, code = wait(start(command(source, target), log))
        wall = time.monotonic() - began
    outputs = count_files(target)
    shutil.rmtree(target, ignore_errors=True)
    if code != 0 or outputs != expected:
        # What it printed may name what it read: the made-up files hold no real patient.
        with open(os.path.join(work, "log.txt"), "rb") as log:
            tail = log.read()[-600:].decode(errors="replace").strip()
        print(f"note: {name}: exit {code}, {outputs} of {expected} files. {tail}", file=sys.stderr)
    return {"wall_s": wall, "cpu_s": cpu, "rss_mib": rss, "exit": code, "files": outputs}


def make_corpus(scanveil, work, kind, count):
    """A folder of made-up instances."""
    folder = os.path.join(work, f"corpus-{kind}")
    subprocess.run([scanveil, "synth", kind, "--out", folder, "--count", str(count)], check=True,
                   stdout=subprocess.DEVNULL)
    found = count_files(folder)
    if found != count:
        raise Failed(f"scanveil synth {kind} made {found} files, not {count}")
    return folder


def bench_scrub(options, work):
    """Every program over every corpus, in turn, so that a slow minute hits all of them."""
    peers, missing = scrub_peers(options.scanveil, work)
    results = []
    for corpus in options.corpora:
        kind, full, quick, what = CORPORA[corpus]
        count = quick if options.quick else full
        source = make_corpus(options.scanveil, work, kind, count)
        size = warm(source)
        runs = {name: [] for name in peers}
        for _ in range(options.repeats):
            for name, command in peers.items():
                runs[name].append(measure(name, command, source, work, count))
        shutil.rmtree(source)
        results.append({"corpus": corpus, "what": what, "instances": count, "bytes": size,
                        "runs": runs})
    return results, missing


def port_is_open(port):
    """True when somebody listens."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port():
    """A port that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until_listening(port, process):
    """Waits for a server that was just started."""
    deadline = time.monotonic() + READY_S
    while not port_is_open(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise Failed("a server did not start listening; see log.txt in the working folder")
        time.sleep(0.05)


def split(source, work, parts):
    """Hard links of the files, shared out to one folder per association."""
    files = sorted(os.path.join(at, n) for at, _, names in os.walk(source) for n in names)
    folders = []
    for part in range(parts):
        folder = os.path.join(work, f"send-{parts}-{part}")
        os.mkdir(folder)
        for number, path in enumerate(files[part::parts]):
            os.link(path, os.path.join(folder, f"{number:06}.dcm"))
        folders.append(folder)
    return folders


def serve_command(scanveil, work, port):
    """scanveil as a receiver; the study stays open, so that only receiving is measured."""
    state = os.path.join(work, "scanveil")
    os.mkdir(state)
    config = os.path.join(work, "scanveil.toml")
    with open(os.path.join(HERE, "serve.toml"), encoding="utf-8") as template:
        text = template.read()
    with open(config, "w", encoding="utf-8") as out:
        out.write(text.replace("@STATE@", state).replace("@DIMSE@", str(port))
                  .replace("@HTTP@", str(free_port())))
    return [scanveil, "serve", "--config", config]


def storescp_command(work, port):
    """DCMTK's receiver, a process per association, writing plain files without fsync."""
    folder = os.path.join(work, "storescp")
    os.mkdir(folder)
    return ["storescp", "--fork", "-od", folder, str(port)]


def push(source, work, port, associations, log):
    """Sends every file over so many associations at once. Gives the seconds it took."""
    folders = split(source, work, associations)
    env = {"TCP_NODELAY": "1"}
    began = time.monotonic()
    senders = [
        start(["storescu", "-R", "-aec", "SCANVEIL", "127.0.0.1", str(port), "+sd", folder], log,
              env) for folder in folders]
    codes = [wait(sender)[2] for sender in senders]
    wall = time.monotonic() - began
    for folder in folders:
        shutil.rmtree(folder)
    if any(codes):
        raise Failed(f"storescu ended with {codes}")
    return wall


def measure_store(name, command, source, work, associations, count):
    """One push into one freshly started receiver."""
    port = free_port()
    # What the run before left to be written must not slow this one.
    subprocess.run(["sync"], check=True)
    with open(os.path.join(work, "log.txt"), "wb") as log:
        server = start(command(port), log, {"TCP_NODELAY": "1"})
        try:
            until_listening(port, server)
            wall = push(source, work, port, associations, log)
        finally:
            server.send_signal(signal.SIGTERM)
            cpu, rss, _ = wait(server)
    for leftover in ("scanveil", "storescp"):
        shutil.rmtree(os.path.join(work, leftover), ignore_errors=True)
    return {"receiver": name, "associations": associations, "wall_s": wall,
            "images_per_s": count / wall, "cpu_s": cpu, "rss_mib": rss}


def bench_store(options, work):
    """C-STORE of the CT slices into scanveil and into storescp, over one and four associations."""
    if not (find("storescu") and find("storescp")):
        return [], ["dcmtk"]
    kind, full, quick, _ = CORPORA["ct"]
    count = quick if options.quick else full
    source = make_corpus(options.scanveil, work, kind, count)
    warm(source)
    receivers = {
        "storescp (plain files, no fsync)": lambda port: storescp_command(work, port),
        "scanveil serve (sealed, durable)":
            lambda port: serve_command(options.scanveil, work, port),
    }
    runs = []
    for _ in range(options.repeats):
        for associations in (1, 4):
            for name, command in receivers.items():
                runs.append(measure_store(name, command, source, work, associations, count))
    shutil.rmtree(source)
    return runs, []


def scrub_table(result):
    """One corpus as Markdown."""
    count, mib = result["instances"], result["bytes"] / (1 << 20)
    lines = [
        f"### {count:,} {result['what']} ({mib:,.0f} MiB)", "",
        "| program | wall s, best | wall s, median | CPU s, best | instances per CPU s "
        "| MiB per CPU s | peak MiB | files |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, runs in result["runs"].items():
        walls = [run["wall_s"] for run in runs]
        cpu = max(min(run["cpu_s"] for run in runs), 1e-3)
        peak = max(run["rss_mib"] for run in runs)
        files = min(run["files"] for run in runs)
        lines.append(
            f"| {name} | {min(walls):.2f} | {statistics.median(walls):.2f} | {cpu:.2f} "
            f"| {count / cpu:,.1f} | {mib / cpu:,.0f} | {peak:,.0f} | {files:,} |")
    return "\n".join(lines)


def store_table(runs, count):
    """The pushes as Markdown."""
    lines = [
        f"### C-STORE of {count:,} CT slices of 512x512 from storescu", "",
        "| receiver | associations | images/s, best | images/s, median | receiver's peak MiB |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    keys = sorted({(run["associations"], run["receiver"]) for run in runs})
    for associations, receiver in keys:
        same = [r for r in runs if (r["associations"], r["receiver"]) == (associations, receiver)]
        rates = [run["images_per_s"] for run in same]
        peak = max(run["rss_mib"] for run in same)
        lines.append(f"| {receiver} | {associations} | {max(rates):,.0f} "
                     f"| {statistics.median(rates):,.0f} | {peak:,.0f} |")
    return "\n".join(lines)


def output_of(argv):
    """The first line a program prints about itself, or nothing."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return ""
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0] if lines else ""


def machine(options):
    """What this ran on."""
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        models = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    return {
        "date": datetime.date.today().isoformat(),
        "processor": models[0] if models else "unknown",
        "cores": os.cpu_count(),
        "scanveil": output_of([options.scanveil, "--version"]),
        "gdcmanon": output_of(["gdcmanon", "--version"]),
        "storescp": output_of(["storescp", "--version"]),
        "repeats": options.repeats,
        "quick": options.quick,
    }


def publish(text):
    """Puts the tables between the marks in benches/README.md."""
    path = os.path.join(HERE, "README.md")
    with open(path, encoding="utf-8") as file:
        before, rest = file.read().split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{before}{MARKS[0]}\n\n{text}\n\n{MARKS[1]}{after}")


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scanveil", default=os.path.join(ROOT, "target/release/scanveil"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a tenth of the files, for a try")
    parser.add_argument("--corpora", type=lambda s: s.split(","), default=list(CORPORA))
    parser.add_argument("--only", choices=["scrub", "store"])
    parser.add_argument("--name", default="latest", help="of the file in benches/results")
    parser.add_argument("--work", help="a folder to work in; a temporary one otherwise")
    parser.add_argument("--publish", action="store_true", help="put the tables into README.md")
    options = parser.parse_args()
    options.scanveil = os.path.abspath(options.scanveil)
    if options.work:
        os.makedirs(options.work, exist_ok=True)
    if not os.access(options.scanveil, os.X_OK):
        parser.error(f"{options.scanveil} is not there: run make build first")
    if unknown := set(options.corpora) - set(CORPORA):
        parser.error(f"no such corpus: {', '.join(sorted(unknown))}")
    return options


def main():
    """Runs what was asked for and prints it."""
    options = arguments()
    scrubs, stores, missing = [], [], []
    with tempfile.TemporaryDirectory(dir=options.work, prefix="scanveil-bench-") as work:
        if options.only != "store":
            scrubs, absent = bench_scrub(options, work)
            missing += absent
        if options.only != "scrub":
            stores, absent = bench_store(options, work)
            missing += absent
    about = machine(options)
    parts = [f"{about['date']}, {about['cores']} cores of {about['processor']}, "
             f"{options.repeats} runs each."]
    if missing:
        parts.append(f"Left out, because not installed: {', '.join(missing)}.")
    parts += [scrub_table(result) for result in scrubs]
    if stores:
        ct = CORPORA["ct"]
        parts.append(store_table(stores, ct[2] if options.quick else ct[1]))
    text = "\n\n".join(parts)
    print(text)
    folder = os.path.join(HERE, "results")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, f"{options.name}.json"), "w", encoding="utf-8") as out:
        json.dump({"machine": about, "scrub": scrubs, "store": stores, "missing": missing}, out,
                  indent=1)
        out.write("\n")
    if options.publish:
        publish(text)


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"bench: {failure}")
