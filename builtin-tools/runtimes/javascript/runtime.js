// What the component is made from: the exported interface. The work is done in src/.
import { run } from './src/program.js';
import { rehearse } from './src/rehearsal.js';

rehearse();

export const interpreter = { run };
