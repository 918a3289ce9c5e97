// `npm run keys:generate -- [EdDSA|ES256|RS256]`: prints a private key as a line for .env.
import { ASYMMETRIC_ALGORITHMS, generatePrivateJwk } from '../shared/tokens/token-keys';

const wanted = process.argv[2] ?? 'EdDSA';
const algorithm = ASYMMETRIC_ALGORITHMS.find((name) => name.toLowerCase() === wanted.toLowerCase());
if (algorithm) {
  console.log(`JWT_PRIVATE_KEY='${JSON.stringify(generatePrivateJwk(algorithm))}'`);
} else {
  console.error(`Unknown algorithm ${wanted}: choose one of ${ASYMMETRIC_ALGORITHMS.join(', ')}.`);
  process.exitCode = 1;
}
