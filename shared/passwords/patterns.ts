/** Key sequences, typed forwards or backwards: keyboard rows and columns, columns of a telephone keypad. */
const LINES = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890',
  'qwertyuiop[]',
  "asdfghjkl;'",
  'zxcvbnm,./',
  'qwertzuiopü',
  'azertyuiop',
  'qsdfghjklm',
  '!@#$%^&*()',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/',
  'qazwsxedcrfvtgbyhnujmikolp',
  'zaq12wsxcde34rfvbgt56yhnmju78ik,.lo90p;/',
  '741852963',
  '1357902468',
  '147258369',
];
const RUNS = LINES.flatMap((line) => [line, [...line].reverse().join('')]);
/** Shorter runs occur in too many words. */
const SHORTEST_RUN = 3;

/**
 * Whether a password is little more than a pattern: a few characters repeated, or runs of the alphabet, digits or
 * keyboard (`aaaaaaaa`, `abc123abc123`, `987654321`, `qwerty123`, `1q2w3e4r`, `11223344`).
 * @param password in lower case
 */
export function isPattern(password: string): boolean {
  const characters = [...password];
  if (repeats(characters)) return true;
  const once = characters.filter((character, index) => character !== characters[index - 1]);
  const [even, odd] = [0, 1].map((start) => characters.filter((_, index) => index % 2 === start).join(''));
  if (isRuns(password) || isRuns(once.join(''))) return true;
  return isRuns(even ?? '') && isRuns(odd ?? '');
}

/** Whether a unit of at most half its length repeats; the last one may be incomplete. */
function repeats(characters: string[]): boolean {
  const longest = Math.floor(characters.length / 2);
  for (let unit = 1; unit <= Math.min(longest, 4); unit += 1) {
    if (characters.every((character, index) => character === characters[index % unit])) return true;
  }
  return false;
}

/** Whether runs make up at least three quarters of the text. */
function isRuns(text: string): boolean {
  let left = 0;
  for (let at = 0; at < text.length; ) {
    const length = runAt(text, at);
    if (length < SHORTEST_RUN) left += 1;
    at += length < SHORTEST_RUN ? 1 : length;
  }
  return left * 4 <= text.length;
}

function runAt(text: string, at: number): number {
  let longest = 1;
  while (text[at + longest] === text[at]) longest += 1;
  for (const run of RUNS) {
    while (at + longest < text.length && run.includes(text.slice(at, at + longest + 1))) longest += 1;
  }
  return longest;
}
