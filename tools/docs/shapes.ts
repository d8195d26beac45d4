/** A schema in one line: `{ name: text, size_bytes: integer }[]`. What has a name of its own is called by it. */
import { z } from 'zod';

export interface Shapes {
  readonly of: (schema: z.ZodType) => string;
  /** The named ones, each with its fields. */
  readonly named: ReadonlyArray<{ name: string; shape: string }>;
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

export function shapes(named: Record<string, z.ZodType>): Shapes {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const options = { metadata: registry, unrepresentable: 'any' } as const;
  const { $defs = {} } = z.toJSONSchema(z.object(named), options);
  return {
    of: (schema) => inWords(z.toJSONSchema(schema, options)),
    named: Object.keys(named).map((name) => ({ name, shape: inWords($defs[name] ?? true) })),
  };
}

const FORMATS: Record<string, string> = { 'date-time': 'time', uuid: 'id' };

function inWords(schema: JsonSchema | boolean): string {
  if (typeof schema === 'boolean') return 'any';
  if (schema.$ref) return schema.$ref.split('/').at(-1) ?? 'any';
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map(inWords).join(' | ');
  if (schema.const !== undefined) return String(schema.const);
  if (schema.enum) return schema.enum.join(' | ');
  switch (schema.type) {
    case 'array':
      return ofMany(Array.isArray(schema.items) || schema.items === undefined ? 'any' : inWords(schema.items));
    case 'object':
      return object(schema);
    case 'string':
      return FORMATS[schema.format ?? ''] ?? word('string');
    default:
      return [schema.type ?? 'any'].flat().map(word).join(' | ');
  }
}

const word = (type: string): string => (type === 'string' ? 'text' : type);

const ofMany = (one: string): string => (one.includes(' | ') && !one.startsWith('{') ? `(${one})[]` : `${one}[]`);

function object({ properties, additionalProperties }: JsonSchema): string {
  const fields = Object.entries(properties ?? {}).map(([name, schema]) => `${name}: ${inWords(schema)}`);
  const more = typeof additionalProperties === 'object' && Object.keys(additionalProperties).length > 0;
  if (more) fields.push(`[name]: ${inWords(additionalProperties)}`);
  else if (typeof additionalProperties === 'object') fields.push('…');
  return `{ ${fields.join(', ')} }`;
}
