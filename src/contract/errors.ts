/**
 * Every error code that goes over the wire (contract §1). `retryable`: the same request may succeed later, unchanged.
 */
export const ERROR_CODES = {
  /** The payload is not what the event asks for; details: `[{ field, message }]`. */
  BAD_REQUEST: { retryable: false },
  /** No token, or one that proves no identity. */
  UNAUTHENTICATED: { retryable: false },
  /** The token was good once; get a fresh one. */
  TOKEN_EXPIRED: { retryable: false },
  /** A known member without the right to do this. */
  FORBIDDEN: { retryable: false },
  /** It does not exist, or the caller is an outsider: the two look the same. */
  NOT_FOUND: { retryable: false },
  /** The wrong state for this; details.state says which one won, where there is one. */
  CONFLICT: { retryable: false },
  /** The other party is in a call. */
  BUSY: { retryable: false },
  /** Too many requests; details.retryAfterMs (milliseconds). */
  RATE_LIMITED: { retryable: true },
  PAYLOAD_TOO_LARGE: { retryable: false },
  /** The server has no Agora credentials. */
  AGORA_NOT_CONFIGURED: { retryable: false },
  /** The database is away, or this node is shutting down. */
  UNAVAILABLE: { retryable: true },
  /** No such event. */
  UNKNOWN_EVENT: { retryable: false },
  /** A fault of the server's own; its log tells more. */
  INTERNAL: { retryable: false },
} as const satisfies Record<string, { retryable: boolean }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** One faulty field of a payload; `field` is its dotted path, empty for the payload as a whole. */
export interface FieldFault {
  field: string;
  message: string;
}

export type ErrorDetails = FieldFault[] | Record<string, string | number | boolean>;

/** What a client is told of a failure. */
export interface ErrorBody {
  code: ErrorCode;
  message: string;
  retryable: boolean;
  details?: ErrorDetails;
}

/** A refusal that the client is meant to see: `message` and `details` go out as they are, so they name no one and no internals. */
export class AppError extends Error {
  override readonly name = 'AppError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details?: ErrorDetails,
  ) {
    super(message);
  }

  /** BAD_REQUEST for one field. */
  static badField(field: string, message: string): AppError {
    return new AppError('BAD_REQUEST', 'The payload is not valid.', [{ field, message }]);
  }

  toBody(): ErrorBody {
    const { code, message, details } = this;
    return { code, message, retryable: ERROR_CODES[code].retryable, ...(details && { details }) };
  }
}
