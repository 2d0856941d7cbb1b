/** `GET /v1/openapi.json`: the API described by the schemas that check it. */
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import type { Auth, RouteDescription } from '../../schemas/http/route-description.ts';
import { routes } from '../../schemas/http/routes.ts';
import { messageSchema } from '../rules/message-schema.ts';
import { journeySchema, segmentSchema } from '../rules/schema.ts';
import { hoisted } from './openapi-schemas.ts';

const SECURITY: Readonly<Record<Auth, readonly Readonly<Record<string, readonly string[]>>[]>> = {
  track: [{ track: [] }],
  pipelines: [{ pipelines: [] }, {}],
  app: [{ app: [] }],
  admin: [{ app: [] }, { admin: [] }],
  none: [],
};

const Refusal = Type.Object({ meta: Type.Object({ error: Type.String(), code: Type.String() }) });

/** What any route may answer before it is reached: the door itself does, whatever was asked. */
const DOOR = {
  400: 'The request is none that can be read, or names nobody to answer.',
  403: 'A key of this kind may not do that.',
  408: 'The request or its body came too slowly.',
  413: 'The body is larger than the bound.',
  415: 'The body is in an encoding that is not known here.',
  429: 'The key or its workspace calls faster than it may; Retry-After says when to try again.',
  431: 'The headers are larger than the bound.',
  503: 'Not now: Retry-After says when to send it again.',
} as const;
const doorNames = Object.keys(DOOR) as unknown as readonly (keyof typeof DOOR)[]; // integers, in their order
const nameOfDoor = (status: keyof typeof DOOR): string => `door${String(status)}`;

export function mountOpenapi(app: FastifyInstance): void {
  // Written once: anybody may ask for it, as often as they like.
  const document = Buffer.from(`${JSON.stringify(openapi())}\n`);
  app.get('/v1/openapi.json', (_request, reply) =>
    reply.header('content-type', 'application/json; charset=utf-8').send(document),
  );
}

export function openapi() {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    for (const path of [route.path, ...(route.aliases ?? [])]) {
      paths[path] = { ...paths[path], [route.method]: operation(route, path) };
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Hindsight',
      version: '1',
      description:
        "Calls about visitors and people, as Customer.io's Track and Pipelines APIs define them, and Hindsight's own.",
    },
    paths,
    components: {
      schemas: hoisted({ segment: segmentSchema, journey: journeySchema, message: messageSchema }),
      responses: Object.fromEntries(
        doorNames.map((status) => [
          nameOfDoor(status),
          { description: DOOR[status], content: json(Refusal) },
        ]),
      ),
      securitySchemes: {
        track: { type: 'http', scheme: 'basic', description: 'site_id:api_key' },
        pipelines: {
          type: 'http',
          scheme: 'basic',
          description:
            'write_key or browser_key as the user, no password; browsers send it as writeKey in the body',
        },
        app: { type: 'http', scheme: 'bearer', description: 'app_key' },
        admin: { type: 'http', scheme: 'bearer', description: 'admin_key' },
      },
    },
  };
}

function operation({ method, summary, auth, body, query, answers }: RouteDescription, path: string) {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => ({
    name: match[1],
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const inQuery = (query ?? []).map((each) => ({ ...each, in: 'query', schema: { type: 'string' } }));
  const parameters = [...inPath, ...inQuery];
  const responses = Object.entries(answers ?? {}).map(
    ([status, { description, schema }]): [string, unknown] => [
      status,
      schema === undefined ? { description } : { description, content: json(schema) },
    ],
  );
  return {
    operationId:
      `${method}${path.replace(/\W+(\w)/g, (_match, letter: string) => letter.toUpperCase())}`.replace(
        /\W/g,
        '',
      ),
    summary,
    security: SECURITY[auth],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { content: json(body) } }),
    responses: {
      ...Object.fromEntries(
        doorNames.map((status) => [status, { $ref: `#/components/responses/${nameOfDoor(status)}` }]),
      ),
      200: { description: 'Done.' },
      ...(auth === 'none' ? {} : { 401: { description: 'The credentials are not valid.' } }),
      ...Object.fromEntries(responses),
    },
  };
}

function json(schema: unknown) {
  return { 'application/json': { schema } };
}
