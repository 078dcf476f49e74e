import type { IncomingMessage } from 'node:http';
import type { AppConfig } from '../config/config.js';

const LOOPBACK = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/**
 * Whether a page may connect: one of CORS_ORIGINS, of this server's own host, or, while developing, of this machine. What is no
 * browser sends no origin and is judged by its token alone.
 */
export function isAllowedOrigin({ headers }: IncomingMessage, { http, isProduction }: AppConfig): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return true;
  if (http.corsOrigins.includes(origin)) return true;
  if (URL.canParse(origin) && new URL(origin).host === host) return true;
  return !isProduction && LOOPBACK.test(origin);
}
