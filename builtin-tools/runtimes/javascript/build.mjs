// Makes the component: `node build.mjs WIT_FOLDER OUTPUT`, in a copy of this folder with its packages installed.
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { componentize } from '@bytecodealliance/componentize-js';

const [wit, output] = process.argv.slice(2);
const { component } = await componentize({
  sourcePath: resolve('runtime.js'),
  witPath: resolve(wit),
  worldName: 'javascript',
});
await writeFile(output, component);
