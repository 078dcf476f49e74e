import { compileRegex } from '../src/query/regex.js';
import { errorOf } from './support/plain.js';
import { pick, randomSource } from './support/random-values.js';

describe('compileRegex', () => {
  it.each<[string, string, string, boolean]>([
    ['abc', '', 'xabcx', true],
    ['^abc$', '', 'abc\n', true],
    ['^abc\\z', '', 'abc\n', false],
    ['^b', 'm', 'a\nb', true],
    ['^b', '', 'a\nb', false],
    ['a$', 'm', 'a\nb', true],
    ['a.b', '', 'a\nb', false],
    ['a.b', 's', 'a\nb', true],
    ['A.Ö', 'i', 'axö', true],
    ['STRASSE', 'i', 'strasse', true],
    ['k', 'i', '\u212a', true],
    ['[a-c]+d', 'i', 'ABCD', true],
    ['[^a]', 'i', 'A', false],
    ['a b # c', 'x', 'ab', true],
    ['a\\ b', 'x', 'a b', true],
    ['(?i)AB', '', 'ab', true],
    ['a(?i:B)c', '', 'abc', true],
    ['a(?i:B)c', '', 'abC', false],
    ['(a|b)*c', '', 'ababc', true],
    ['a{2,3}$', '', 'aa', true],
    ['^a{2,3}$', '', 'aaaa', false],
    ['a{,3}', '', 'a{,3}', true],
    ['^\\d{3}-\\w+$', '', '123-ab_1', true],
    ['\\bcat\\b', '', 'a cat.', true],
    ['\\bcat\\b', '', 'concat', false],
    ['\\Bcat', '', 'concat', true],
    ['[[:alpha:]]+[[:digit:]]', '', 'ab1', true],
    ['[]a]', '', ']', true],
    ['[a\\-z]', '', '-', true],
    ['\\Qa.b\\E', '', 'a.b', true],
    ['\\Qa.b\\E', '', 'axb', false],
    ['\\x41\\x{1F600}', '', 'A😀', true],
    ['^.$', '', '😀', true],
    ['\\p{L}+', '', 'é', true],
    ['^\\P{L}$', '', 'é', false],
    ['a|', '', '', true],
    ['(?:)', '', '', true],
    ['(a*)*b', '', 'aaab', true],
    ['x*?y+?', '', 'y', true],
    ['(?<name>a)b', '', 'ab', true],
    ['(?#note)a', '', 'a', true],
    ['\\.', '', '.', true],
    ['\\$5', '', '$5', true],
  ])('%s with "%s" on %j: %p', (pattern, options, text, expected) => {
    expect(compileRegex(pattern, options)(text)).toBe(expected);
  });

  it.each<[string, number]>([
    ['(', 51091],
    [')', 51091],
    ['[', 51091],
    ['*a', 51091],
    ['a**', 51091],
    ['a{3,2}', 51091],
    ['\\', 51091],
    ['[b-a]', 51091],
    ['a\0', 2],
    ['(?=a)', 238],
    ['(?<!a)b', 238],
    ['(a)\\1', 238],
    ['a++', 238],
    ['(?>a)', 238],
    ['(((a{1000}){1000}){1000})', 51091],
    ['((((){1000}){1000}){1000}){1000}', 51091],
    [`${'('.repeat(200)}${')'.repeat(200)}`, 51091],
  ])('refuses %s with code %d', (pattern, code) => {
    expect(errorOf(() => compileRegex(pattern, ''))?.code).toBe(code);
  });

  it.each(['(a+)+$', '^(a|a)*$', '^(a|aa)+$', '(.*a){20}$', '^(\\w+\\s?)*$'])(
    'matches %s in bounded time',
    (pattern) => {
      const text = `${'a'.repeat(20_000)}!`;
      expect(compileRegex(pattern, '')(text)).toBe(false);
    },
  );

  it('stops at a limit rather than hang', () => {
    const error = errorOf(() => compileRegex('(a?){800}b', '')('a'.repeat(200_000)));
    expect(error?.code).toBe(51156);
  });

  it('agrees with the platform on random patterns of the common syntax', () => {
    const random = randomSource();
    const atoms = [
      'a',
      'b',
      '.',
      '[ab]',
      '[^a]',
      '(?:a|b)',
      '(ab)',
      '\\w',
      '^',
      'c?',
      '(?:ab|c)*',
      'a+',
      'b{1,2}',
      '\\bb',
    ] as const;
    for (let i = 0; i < 2000; i++) {
      const pattern = Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(random, atoms)).join(
        '',
      );
      const text = Array.from({ length: Math.floor(random() * 7) }, () =>
        pick(random, ['a', 'b', 'c', ' ']),
      ).join('');
      const options = pick(random, ['', 'i', 's', 'm']);
      expect([pattern, text, compileRegex(pattern, options)(text)]).toEqual([
        pattern,
        text,
        new RegExp(pattern, `${options}u`).test(text),
      ]);
    }
  });
});
