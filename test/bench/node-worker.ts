/** The far side of the port benchmark, in a worker thread of Node: the first message is its port. */
import { parentPort } from 'node:worker_threads';
import { servePortBench } from './port.ts';

parentPort?.once('message', (port: MessagePort) => servePortBench(port));
