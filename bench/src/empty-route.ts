// What the platform is compared with: one process that parses an order and answers as many bytes,
// and does nothing else. Started by the benchmark with the reply as its only argument.

import Fastify from 'fastify';

const reply = JSON.parse(process.argv[2] ?? '{}') as object;
const app = Fastify();
app.post('/api/v1/orders', async (_, answer) => answer.status(201).send(reply));
const url = await app.listen({ port: 0, host: '127.0.0.1' });
process.once('disconnect', () => process.exit());
process.once('error', () => process.exit()); // Nobody is there to hear us any more.
process.send?.({ url });
