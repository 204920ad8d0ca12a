// A bus whose messages belong to traces, whatever carries them.
//
// T1. To publish a message is a span below the one that emitted it, and the message names that span.
// T2. To handle messages is a span of its own: they come from many traces, so it is linked to the
//     spans that sent them. What it does for a kept order stands in the trace of that order, below
//     the part that the sender had in it.

import type { Message } from '@rushlight/contracts';
import type { Bus } from '../bus/bus.ts';
import { endingWith, inSpan, type Span } from './span.ts';
import { formatTraceparent, parseTraceparent, type TraceContext } from './trace-context.ts';
import type { Tracer } from './tracer.ts';

const system = { 'messaging.system': 'rushlight' };

/** The same bus, with spans of what goes through it. */
export function traceBus(bus: Bus, tracer: Tracer): Bus {
  return {
    ...bus,
    publish: async (messages) => {
      const spans: Span[] = [];
      const sent = messages.map((message): Message => {
        const span = beginSend(tracer, message);
        spans.push(span);
        return { ...message, traceparent: formatTraceparent(span) };
      });
      await endingWith(spans, () => bus.publish(sent));
    },
    consume: (queue, handle, options) =>
      bus.consume(
        queue,
        (message) => process(tracer, queue, [message], () => handle(message)),
        options,
      ),
    consumeBatches: (queue, handle, options) =>
      bus.consumeBatches(
        queue,
        (messages) => process(tracer, queue, messages, () => handle(messages)),
        options,
      ),
  };
}

function beginSend(tracer: Tracer, message: Message): Span {
  const { topic } = message;
  const sender = senderOf(message);
  const span = tracer.begin({
    name: `send ${topic}`,
    kind: 'producer',
    parent: sender,
    attributes: {
      ...system,
      'messaging.operation.type': 'send',
      'messaging.destination.name': topic,
    },
  });
  span.adopt(message.events, sender);
  return span;
}

async function process(
  tracer: Tracer,
  queue: string,
  messages: readonly Message[],
  work: () => Promise<void>,
): Promise<void> {
  const senders = messages.map(senderOf);
  const span = tracer.begin({
    name: `process ${queue}`,
    kind: 'consumer',
    attributes: {
      ...system,
      'messaging.operation.type': 'process',
      'messaging.destination.name': queue,
      'messaging.batch.message_count': messages.length,
    },
    links: senders.filter((sender) => sender !== undefined),
  });
  for (const [index, { events }] of messages.entries()) {
    span.adopt(events, senders[index]);
  }
  await endingWith([span], () => inSpan(span, work));
}

function senderOf({ traceparent }: Message): TraceContext | undefined {
  return parseTraceparent(traceparent);
}
