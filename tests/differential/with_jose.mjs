// Answers for npm's jose; the lines are those of with_pyjwt.py. The first argument is the folder with node_modules.
import { createRequire } from 'node:module';
import { webcrypto } from 'node:crypto';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

// Node.js 18 has it under another name.
globalThis.crypto ??= webcrypto;
const require = createRequire(join(process.argv[2], 'package.json'));
const jose = await import(pathToFileURL(require.resolve('jose')));
const version = require('jose/package.json').version;

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const setup = JSON.parse((await lines.next()).value);

// Key sets of jose hold no secrets: those are found by kid, as its users do.
function secretOf(keys) {
  return (header) => {
    const found = keys.filter((key) => (header.kid === undefined || key.kid === header.kid) && key.alg === header.alg);
    if (found.length === 0) throw new Error('no key');
    return Buffer.from(found[0].k, 'base64url');
  };
}

for (const trusted of Object.values(setup.issuers)) {
  const secrets = trusted.keys.every((key) => key.kty === 'oct');
  trusted.find = secrets ? secretOf(trusted.keys) : jose.createLocalJWKSet({ keys: trusted.keys });
}
console.log(JSON.stringify({ ready: `jose ${version}` }));
for await (const line of { [Symbol.asyncIterator]: () => lines }) {
  const asked = JSON.parse(line);
  const trusted = setup.issuers[asked.issuer];
  let answer;
  try {
    const options = {
      algorithms: trusted.algorithms,
      issuer: trusted.issuer,
      audience: setup.audience,
      clockTolerance: setup.leeway,
      currentDate: new Date(setup.now * 1000),
      requiredClaims: ['exp', 'sub'],
    };
    answer = { claims: (await verify(asked.token, trusted.find, options)).payload };
  } catch (error) {
    answer = { refused: `${error.code ?? error.name}: ${error.message}` };
  }
  console.log(JSON.stringify(answer));
}

// Where a token names no kid and several keys fit, all are tried, as the documentation of jose shows.
async function verify(token, find, options) {
  try {
    return await jose.jwtVerify(token, find, options);
  } catch (error) {
    if (error?.code !== 'ERR_JWKS_MULTIPLE_MATCHING_KEYS') throw error;
    for await (const key of error) {
      try {
        return await jose.jwtVerify(token, key, options);
      } catch (inner) {
        if (inner?.code !== 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') throw inner;
      }
    }
    throw new jose.errors.JWSSignatureVerificationFailed();
  }
}
