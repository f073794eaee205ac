#!/usr/bin/env bash
# Builds the FHIR test server and HL7's validator into target/ (40 s and 240 MB of artefacts on a bare machine).
# Returns at once when nothing changed; without a Java compiler or Maven it says so, and the live tests skip.
set -euo pipefail
cd "$(dirname "$0")"

for tool in javac mvn; do
  if ! command -v "$tool" >/dev/null 2>&1; then
    echo "tests/live/hapi: not built, $tool is not installed (Debian: default-jdk-headless, maven)"
    exit 0
  fi
done

stamp="$(cat pom.xml src/main/java/testserver/*.java src/main/resources/* | sha256sum)"
if [ -f target/built ] && [ "$(cat target/built)" = "$stamp" ]; then
  exit 0
fi
rm -rf target
mvn -B -q compile dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=target/lib
echo "$stamp" >target/built
