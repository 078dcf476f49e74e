import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Whether the proxy at this address, so many hops away, is one of our own: Express's compiled `trust proxy`. */
export type ProxyTrust = (address: string, hop: number) => boolean;

/** What has no address that can be read, such as a socket of the file system, counts as one. */
const NO_ADDRESS = 'unknown';

/**
 * From where a request comes: the first address, from our end, that is none of our own proxies (TRUST_PROXY). What a client writes into
 * `X-Forwarded-For` by itself stands behind that and is never read.
 */
export function clientAddress({ socket, headers }: IncomingMessage, isTrusted: ProxyTrust): string {
  const forwarded = String(headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((address) => address.trim())
    .filter(Boolean);
  const hops = [socket.remoteAddress ?? '', ...forwarded.toReversed()];
  const client = hops.find((address, hop) => hop === hops.length - 1 || !isTrusted(address, hop));
  return networkOf(client ?? '');
}

/** IPv4 as it is; of IPv6 the /64, which one customer has all of. */
function networkOf(address: string): string {
  // Some proxies add the port.
  const plain = address
    .replace(/^::ffff:(?=\d+\.)/i, '')
    .replace(/%.*$/, '')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
    .replace(/^\[([^\]]+)\](:\d+)?$/, '$1');
  if (isIP(plain) === 0) return NO_ADDRESS;
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(8 - groups.length - rest.length, 0);
  const all = [...groups, ...Array.from({ length: zeros }, () => '0'), ...rest];
  return `${all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
