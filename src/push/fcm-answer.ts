/**
 * What came of one attempt: `token-gone` means that this token will never work again; `later` that the same push may succeed then;
 * `refused` that it will not. `reason` is a code, fit for a log.
 */
export type SendResult =
  | { outcome: 'sent' }
  | { outcome: 'token-gone' }
  | { outcome: 'later'; reason: string; minDelayMs: number }
  | { outcome: 'refused'; reason: string };

const FCM_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';
const TOO_MANY_REQUESTS = 429;
/** FCM's documentation asks for this when it says 429 without Retry-After. */
const QUOTA_DELAY_MS = 60_000;

interface FcmError {
  status?: unknown;
  message?: unknown;
  details?: unknown;
}

interface Detail {
  '@type'?: unknown;
  errorCode?: unknown;
  fieldViolations?: unknown;
}

/**
 * Judges an answer of FCM that is no success. A token is gone only if FCM says UNREGISTERED, or that the token is what is invalid.
 * SENDER_ID_MISMATCH says that the token belongs to another Firebase project: with the wrong credentials configured that is true of
 * every token of ours, so it costs none. A 404 without FCM's own code is no word on the token either, but an unknown project.
 */
export function judge(status: number, body: string, retryAfterMs: number | undefined): SendResult {
  const error = parse(body);
  const code = codeOf(error);
  if (code === 'UNREGISTERED') return { outcome: 'token-gone' };
  if (status === 400 && isAboutToken(error)) return { outcome: 'token-gone' };
  const reason = `${status} ${code ?? 'without a code'}`;
  if (status === TOO_MANY_REQUESTS)
    return { outcome: 'later', reason, minDelayMs: retryAfterMs ?? QUOTA_DELAY_MS };
  if (status >= 500) return { outcome: 'later', reason, minDelayMs: retryAfterMs ?? 0 };
  return { outcome: 'refused', reason };
}

function parse(body: string): FcmError {
  try {
    return (JSON.parse(body) as { error?: FcmError | null } | null)?.error ?? {};
  } catch {
    return {};
  }
}

/** FCM's own code; else Google's general one, which says less: NOT_FOUND may be the project. */
function codeOf(error: FcmError): string | undefined {
  const code = detailsOf(error, FCM_ERROR)[0]?.errorCode ?? error.status;
  return typeof code === 'string' && /^[A-Z_]{1,64}$/.test(code) ? code : undefined;
}

/** INVALID_ARGUMENT may be about anything in the message: FCM names the field, or says in words that it is the token. */
function isAboutToken(error: FcmError): boolean {
  const violations = detailsOf(error, BAD_REQUEST).flatMap(({ fieldViolations }) =>
    Array.isArray(fieldViolations) ? (fieldViolations as { field?: unknown }[]) : [],
  );
  if (violations.length > 0) return violations.every(({ field }) => field === 'message.token');
  return (
    typeof error.message === 'string' &&
    /registration token is not (a )?valid|invalid registration token/i.test(error.message)
  );
}

function detailsOf({ details }: FcmError, type: string): Detail[] {
  return Array.isArray(details) ? (details as Detail[]).filter((detail) => detail?.['@type'] === type) : [];
}
