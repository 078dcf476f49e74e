import { isDoc, isNumber, type Doc, type Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import { toDouble } from './numbers.js';

/** The order of strings under a collation. */
export type TextOrder = (a: string, b: string) => number;

const KNOWN = new Set([
  'locale',
  'strength',
  'caseLevel',
  'caseFirst',
  'numericOrdering',
  'alternate',
  'maxVariable',
  'backwards',
  'normalization',
  'version',
]);
/** MongoDB's defaults of what Intl does not let one choose. */
const FIXED: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['caseLevel', false],
  ['backwards', false],
  ['normalization', false],
  ['alternate', 'non-ignorable'],
  ['caseFirst', 'off'],
]);
const SENSITIVITY = new Map([
  [1, 'base'],
  [2, 'accent'],
  [3, 'variant'],
] as const);

/**
 * Undefined for the simple collation. Throws BadValue (2) for an unknown locale, NotImplemented (238) for what Intl cannot do.
 * As an empty document, a collation is none.
 */
export function parseCollation(collation: Value | undefined): TextOrder | undefined {
  if (collation === undefined) return undefined;
  if (!isDoc(collation)) throw new MongoError(ErrorCode.TypeMismatch, 'collation must be an object');
  if (collation.size === 0) return undefined;
  for (const name of collation.keys())
    if (!KNOWN.has(name)) throw new MongoError(40415, `BSON field 'collation.${name}' is an unknown field.`);
  const locale = collation.get('locale');
  if (typeof locale !== 'string')
    throw new MongoError(40414, "BSON field 'collation.locale' is missing but a required field");
  if (locale === 'simple') return undefined;
  for (const [name, value] of FIXED) {
    const given = collation.get(name);
    if (given !== undefined && given !== value) throw unsupported(`another '${name}' than the default`);
  }
  return new Intl.Collator(tagOf(locale), {
    sensitivity: sensitivityOf(collation),
    numeric: isNumeric(collation),
    caseFirst: 'false',
    ignorePunctuation: false,
  }).compare;
}

function sensitivityOf(collation: Doc): 'base' | 'accent' | 'variant' {
  const strength = collation.get('strength') ?? null;
  if (strength === null) return 'variant';
  const number = isNumber(strength) ? toDouble(strength) : Number.NaN;
  for (const [known, sensitivity] of SENSITIVITY) if (known === number) return sensitivity;
  throw unsupported('another strength than 1, 2 or 3');
}

function isNumeric(collation: Doc): boolean {
  const numeric = collation.get('numericOrdering') ?? false;
  if (typeof numeric === 'boolean') return numeric;
  throw new MongoError(ErrorCode.TypeMismatch, "BSON field 'collation.numericOrdering' must be a boolean");
}

/** MongoDB's names of locales ("en", "pt_BR") as Intl's; options within a name are not taken. */
function tagOf(locale: string): string {
  const tag = locale.replaceAll('_', '-');
  const isLocale = /^[a-z]{2,3}(_[A-Za-z]+)*$/.test(locale);
  if (isLocale && Intl.Collator.supportedLocalesOf([tag]).length > 0) return tag;
  throw new MongoError(ErrorCode.BadValue, `Field 'locale' is invalid in: { locale: "${locale}" }`);
}

export function unsupported(what: string): MongoError {
  return new MongoError(ErrorCode.NotImplemented, `${what} is not supported with a collation`);
}

/** Whether a document holds one of the fields at any depth. */
export function mentions(value: Value | undefined, names: ReadonlySet<string>): boolean {
  if (Array.isArray(value)) return value.some((element) => mentions(element, names));
  return isDoc(value) && [...value].some(([name, inner]) => names.has(name) || mentions(inner, names));
}
