import * as v from 'valibot';
import { ImportedHash } from '../passwords/imported-hash';
import { cutPath, findUnstorable, MAX_ERRORS } from '../storable';
import { Timestamp } from '../time';
import { DisplayName, Email, Metadata, Username } from '../users/fields';

export interface ImportRules {
  requireEmail: boolean;
  /** Names of existing roles. */
  roles: ReadonlySet<string>;
  now: Date;
}

/** A line of an import file. Rejects unknown fields, so that a misspelled one is not silently ignored. */
function lineSchema({ requireEmail, roles, now }: ImportRules) {
  return v.pipe(
    v.objectWithRest(
      {
        username: Username,
        email: requireEmail ? Email : v.optional(v.nullable(Email), null),
        passwordHash: ImportedHash,
        displayName: v.optional(DisplayName, null),
        metadata: v.optional(Metadata, {}),
        role: v.optional(
          v.pipe(
            v.string('must be a string'),
            v.check((name) => roles.has(name), 'is not a known role'),
          ),
          'user',
        ),
        emailVerified: v.optional(v.boolean('must be true or false'), false),
        createdAt: v.optional(
          v.pipe(
            Timestamp,
            v.transform((text) => new Date(text)),
            v.check((time) => time <= now, 'must be in the past'),
          ),
        ),
      },
      v.never('is not a known field'),
      'must be a JSON object',
    ),
    v.forward(
      v.partialCheck(
        [['email'], ['emailVerified']],
        ({ email, emailVerified }) => email !== null || !emailVerified,
        'must not be true without an email',
      ),
      ['emailVerified'],
    ),
  );
}

export interface ImportedUser {
  username: string;
  email: string | null;
  passwordHash: string;
  displayName: string | null;
  metadata: Record<string, unknown>;
  role: string;
  emailVerified: boolean;
  createdAt: Date | undefined;
}

export type ParsedLine = { user: ImportedUser } | { problem: string } | 'blank';

/** @returns a function that parses a line into a user or a list of problems, without values, which may be hashes */
export function lineParser(rules: ImportRules): (line: Buffer) => ParsedLine {
  const schema = lineSchema(rules);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  return (line) => {
    let json: unknown;
    try {
      const text = decoder.decode(line);
      if (text.trim() === '') return 'blank';
      json = JSON.parse(text);
    } catch {
      return { problem: 'is not valid JSON in UTF-8' };
    }
    const unstorable = findUnstorable(json);
    if (unstorable.length > 0) return { problem: inWords(unstorable) };
    const result = v.safeParse(schema, json);
    if (result.success) return { user: { ...result.output, createdAt: result.output.createdAt } };
    return {
      problem: inWords(
        result.issues.slice(0, MAX_ERRORS).map((issue) => ({
          path: cutPath(v.getDotPath(issue) ?? ''),
          message: issue.input === undefined && issue.expected !== 'never' ? 'is required' : issue.message,
        })),
      ),
    };
  };
}

function inWords(problems: { path: string; message: string }[]): string {
  return problems.map(({ path, message }) => (path ? `${path} ${message}` : message)).join('; ');
}
