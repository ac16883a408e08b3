/**
 * Makes the pictures of these examples from those of the pour-over tutorial. Run from the repository's root:
 *
 *     npx tsx examples/features/make.mts
 *
 * `media/clip.mp4` is a piece of the rendered `motion.json`, cut out with ffmpeg, with the tutorial's music as its sound.
 */
import sharp from 'sharp';

const FROM = 'examples/pour-over-coffee/pictures';
const TO = 'examples/features/media';

await sharp(`${FROM}/04-first-pour.jpg`).resize(1280, 720).jpeg({ quality: 82 }).toFile(`${TO}/wide.jpg`);
await sharp(`${FROM}/07-serve.jpg`).resize(1280, 720).jpeg({ quality: 82 }).toFile(`${TO}/serve.jpg`);
await sharp(`${FROM}/02-rinse.jpg`)
  .resize({ height: 1200 })
  .extract({ left: 900, top: 0, width: 800, height: 1200 })
  .jpeg({ quality: 82 })
  .toFile(`${TO}/tall.jpg`);

/** A cup in a ring. */
const logo = `<svg xmlns="http://www.w3.org/2000/svg" width="480" height="140">
  <circle cx="70" cy="70" r="56" fill="none" stroke="#fff" stroke-width="8"/>
  <path d="M44 56h46v18a23 23 0 0 1-46 0z M90 60h8a10 10 0 0 1 0 20h-8" fill="#fff" stroke="#fff" stroke-width="4" fill-rule="evenodd"/>
  <path d="M160 50h60v10h-60z M160 78h110v10h-110z" fill="#fff"/>
</svg>`;
await sharp(Buffer.from(logo)).png().toFile(`${TO}/logo.png`);
