export { atOnce } from '../concurrency/atOnce.ts';
