/** The service itself, in the words of the document. */
import { z } from 'zod';
import { Health, Ready } from '../../contract/api.ts';
import { METRICS_TYPE } from '../metrics/text.ts';
import { answer, type Operations, text } from './operation.ts';

export const SERVICE_OPERATIONS: Operations = {
  'GET /': {
    tag: 'Service',
    id: 'home',
    summary: 'What can be done here, as lines to paste',
    answers: { 200: { description: 'The lines.', content: text('text/plain') } },
    problems: [],
  },
  'GET /health': {
    tag: 'Service',
    id: 'getHealth',
    summary: 'Whether this server runs, and how many transcoders are there',
    answers: { 200: answer('It runs.', Health) },
    problems: [],
  },
  'GET /ready': {
    tag: 'Service',
    id: 'getReady',
    summary: 'Whether database and storage answer',
    answers: { 200: answer('They do.', Ready) },
    problems: ['not_ready'],
  },
  'GET /metrics': {
    tag: 'Service',
    id: 'getMetrics',
    summary: 'Metrics for Prometheus',
    answers: { 200: { description: 'Metrics in the text format.', content: text(METRICS_TYPE) } },
    problems: ['list_unavailable'],
  },
  'GET /openapi.json': {
    tag: 'Service',
    id: 'getOpenApi',
    summary: 'This document',
    answers: { 200: answer('OpenAPI 3.1.', z.record(z.string(), z.unknown())) },
    problems: [],
  },
  'GET /docs': {
    tag: 'Service',
    id: 'getDocs',
    summary: 'This document as a page to read',
    answers: { 200: { description: 'The page.', content: text('text/html') } },
    problems: [],
  },
};
