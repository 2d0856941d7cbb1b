/**
 * What may have been meant by a request that no route takes: another method, a prefix too many or too few, a misspelt
 * last word. It is a sentence behind the 404, for whoever wrote the call; what it costs is bounded, since anybody may ask.
 */
import type { FastifyInstance } from 'fastify';
import { nearestName } from '../runtime/nearest-name.ts';

const segmentsMax = 8;
/** Longer words are not compared with the known ones. */
const wordCharsMax = 32;
/** Where the three APIs begin. */
const PREFIXES = ['/api/v1', '/v1', '/api/v2'] as const;

interface Route {
  readonly methods: ReadonlySet<string>;
  readonly segments: readonly string[];
}

export class RouteHints {
  /** By how many segments they have. */
  readonly #routes = new Map<number, Route[]>();

  /** Before its routes are mounted. */
  learn(server: FastifyInstance): void {
    server.addHook('onRoute', ({ method, url }) => {
      const segments = segmentsOf(url);
      const ofLength = this.#routes.get(segments.length) ?? [];
      ofLength.push({ methods: new Set([method].flat()), segments });
      this.#routes.set(segments.length, ofLength);
    });
  }

  /** @param path without the query. @returns a clause to stand behind the message; undefined: nothing is like it. */
  of(method: string, path: string): string | undefined {
    const segments = segmentsOf(path);
    if (segments.length === 0 || segments.length > segmentsMax) return undefined;
    const methods = this.#methodsOf(segments);
    if (methods.length > 0) return `this route takes ${methods.join(', ')}`;
    const meant = this.#otherPrefix(method, segments) ?? this.#misspelt(method, segments);
    return meant === undefined ? undefined : `did you mean ${method} ${meant}?`;
  }

  #methodsOf(segments: readonly string[]): string[] {
    const routes = this.#routes.get(segments.length) ?? [];
    const found = routes.filter((route) => matches(route.segments, segments));
    return [...new Set(found.flatMap(({ methods }) => [...methods]))]
      .filter((method) => method !== 'HEAD')
      .sort();
  }

  #otherPrefix(method: string, segments: readonly string[]): string | undefined {
    const rests = [segments, segments.slice(1), segments.slice(2), segments.slice(3)].filter(
      ({ length }) => length > 0,
    );
    for (const rest of rests) {
      const path = `/${rest.join('/')}`;
      for (const prefix of ['', ...PREFIXES]) {
        const meant = `${prefix}${path}`;
        const isAll = rest.every((word, at) => word === segments[at]);
        if (prefix === '' && isAll) continue;
        if (this.#methodsOf(segmentsOf(meant)).includes(method)) return meant;
      }
    }
    return undefined;
  }

  /** Its last word is nearly one that stands there. */
  #misspelt(method: string, segments: readonly string[]): string | undefined {
    const last = segments.at(-1) ?? '';
    const before = segments.slice(0, -1);
    if (last.length > wordCharsMax) return undefined;
    const known = (this.#routes.get(segments.length) ?? []).flatMap(({ methods, segments: route }) => {
      const word = route.at(-1) ?? '';
      const isOf = methods.has(method) && !isParameter(word) && matches(route.slice(0, -1), before);
      return isOf && word.length <= wordCharsMax ? [word] : [];
    });
    const meant = nearestName(last, known);
    return meant === undefined ? undefined : `/${[...before, meant].join('/')}`;
  }
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function isParameter(segment: string): boolean {
  return segment.startsWith(':') || segment.includes('*');
}

function matches(route: readonly string[], segments: readonly string[]): boolean {
  return (
    route.length === segments.length && route.every((word, at) => isParameter(word) || word === segments[at])
  );
}
