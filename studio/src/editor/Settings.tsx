import type { JSX } from 'preact';
import type { Options } from '../../../src/job/previewJob.types.ts';
import { patchAudio, patchOptions } from '../storyboard/storyboard.ts';
import { Field, FieldError, invalid, Select, Switch } from '../ui/controls.tsx';
import { FileField } from './FileField.tsx';
import { FileTrouble } from './FileTrouble.tsx';
import { chooseFiles, LOGOS, SOUNDS, setLogo, setMusic, setNarrationTrack } from './files.ts';
import { Panel } from './Panel.tsx';
import { board, change, errors } from './session.ts';
import { nameOf } from './uploads.ts';

const THEMES = [
  { value: 'midnight', label: 'Midnight' },
  { value: 'paper', label: 'Paper' },
  { value: 'forest', label: 'Forest' },
  { value: 'mono', label: 'Mono' },
] as const;
const SIZES = [
  { value: '1280x720', label: 'HD, 1280 × 720' },
  { value: '1920x1080', label: 'Full HD, 1920 × 1080' },
  { value: '640x360', label: 'Small, 640 × 360' },
  { value: '1080x1080', label: 'Square, 1080 × 1080' },
  { value: '720x1280', label: 'Portrait, 720 × 1280' },
];
const FORMATS = [
  { value: 'mp4', label: 'MP4 (H.264, AAC)' },
  { value: 'webm', label: 'WebM (VP9, Opus)' },
];
const RATES = ['24', '25', '30', '50', '60'].map((value) => ({ value, label: `${value} frames a second` }));
const EVERYTHING: NonNullable<Options['outputs']> = [
  'video',
  'poster',
  'storyboard',
  'captions',
  'chapters',
  'teaser',
];
const LOUDNESS = [
  { value: '-14', label: '−14 LUFS, streaming' },
  { value: '-16', label: '−16 LUFS, podcasts' },
  { value: '-23', label: '−23 LUFS, broadcast' },
];
const GAINS = [-24, -18, -12, -6, 0].map((gain) => ({
  value: String(gain),
  label: gain === 0 ? 'Unchanged' : `${String(gain).replace('-', '−')} dB`,
}));

const errorOf = (field: string): string | undefined => errors.value.fields.get(field);
const setOptions = (patch: Parameters<typeof patchOptions>[1], about?: string): void =>
  change((before) => patchOptions(before, patch), about);
const setAudio = (patch: Parameters<typeof patchAudio>[1], about?: string): void =>
  change((before) => patchAudio(before, patch), about);

/** How the whole preview looks, sounds and is made. */
export function Settings(): JSX.Element {
  return (
    <div class="settings">
      <Look />
      <Sound />
      <Output />
    </div>
  );
}

function Look(): JSX.Element {
  const { options, assets } = board.value;
  const { theme = 'midnight', brand } = options;
  const logo = assets.find(({ id }) => id === brand?.logo);
  const color = brand?.color ?? '';
  return (
    <Panel
      icon="palette"
      title="Look"
      now={`${THEMES.find(({ value }) => value === theme)?.label ?? theme}${color ? `, ${color}` : ''}`}
      fields={['options.theme', 'options.color', 'options.logo']}
      files={[logo]}
    >
      <fieldset class="swatches">
        <legend>Theme</legend>
        {THEMES.map(({ value, label }) => (
          <label key={value} class={`swatch theme-${value}`}>
            <input
              type="radio"
              name="theme"
              value={value}
              checked={theme === value}
              onChange={() => setOptions({ theme: value })}
            />
            <span class="swatch-picture" aria-hidden="true">
              <span />
              <span />
            </span>
            {label}
          </label>
        ))}
        <FieldError id="options.theme" message={errorOf('options.theme')} />
      </fieldset>
      <Field id="options.color" label="Brand colour" error={errorOf('options.color')}>
        <span class="color">
          <input
            type="color"
            aria-label="Choose the brand colour"
            value={/^#[0-9a-f]{6}$/i.test(color) ? color : '#ffc46b'}
            onInput={(event) =>
              setOptions({ brand: { ...brand, color: event.currentTarget.value } }, 'color')
            }
          />
          <input
            id="options.color"
            placeholder="the theme's own"
            autocomplete="off"
            value={color}
            onInput={(event) => {
              const { color: _, ...others } = brand ?? {};
              const value = event.currentTarget.value.trim();
              setOptions({ brand: value ? { ...others, color: value } : others }, 'color');
            }}
            {...invalid('options.color', errorOf('options.color'))}
          />
        </span>
      </Field>
      <FileField
        id="options.logo"
        use="logo"
        label="Logo"
        hint="PNG or WebP, shown in the upper right"
        empty="Choose a picture"
        error={errorOf('options.logo')}
        file={brand?.logo}
        asset={logo}
        accept={LOGOS}
        onFile={setLogo}
        onRemove={() => {
          const { logo: _, ...others } = brand ?? {};
          setOptions({ brand: others });
        }}
      />
      <Switch
        id="options.includeCaptions"
        label="Draw captions into the picture"
        hint="In place of the text. Caption files are made either way."
        checked={options.includeCaptions ?? false}
        onChange={(on) => setOptions({ includeCaptions: on || undefined })}
      />
    </Panel>
  );
}

function Sound(): JSX.Element {
  const { audio, assets } = board.value;
  const { music, ducking = true, loudnessLufs = -16 } = audio;
  const asset = assets.find(({ id }) => id === music?.asset);
  const narration = assets.find(({ id }) => id === audio.narration?.asset);
  const name = asset ? nameOf(asset) : music?.asset;
  return (
    <Panel
      icon="music"
      title="Sound"
      now={
        name
          ? `${name}, ${LOUDNESS.find(({ value }) => value === String(loudnessLufs))?.label ?? loudnessLufs}`
          : 'no music'
      }
      fields={['audio.music', 'audio.musicGain', 'audio.loudnessLufs', 'audio.ducking', 'audio.narration']}
      files={[asset, narration]}
    >
      <FileField
        id="audio.music"
        use="music"
        label="Music"
        hint="Repeats if it is shorter than the preview"
        empty="Choose a sound"
        error={errorOf('audio.music')}
        file={music?.asset}
        asset={asset}
        accept={SOUNDS}
        onFile={setMusic}
        onRemove={() => setAudio({ music: undefined })}
      />
      <Field id="audio.musicGain" label="Music volume" error={errorOf('audio.musicGain')}>
        <Select
          id="audio.musicGain"
          value={String(music?.gainDb ?? 0)}
          choices={GAINS}
          disabled={!music}
          onChange={(gain) => music && setAudio({ music: { ...music, gainDb: Number(gain) } })}
        />
      </Field>
      <Field id="audio.loudnessLufs" label="Loudness" error={errorOf('audio.loudnessLufs')}>
        <Select
          id="audio.loudnessLufs"
          value={String(loudnessLufs)}
          choices={LOUDNESS}
          onChange={(value) => setAudio({ loudnessLufs: value === '-16' ? undefined : Number(value) })}
        />
      </Field>
      <Switch
        id="audio.ducking"
        label="Softer during narration"
        checked={ducking}
        onChange={(on) => setAudio({ ducking: on ? undefined : false })}
      />
      <FieldError id="audio.narration" message={errorOf('audio.narration')} />
      <FileTrouble
        id="audio.narration"
        place="Narration"
        asset={narration}
        use="narration"
        onChoose={async () => {
          const [file] = await chooseFiles(SOUNDS);
          if (file) setNarrationTrack(file);
        }}
        onRemove={() => setAudio({ narration: undefined })}
      />
    </Panel>
  );
}

function Output(): JSX.Element {
  const { options } = board.value;
  const { resolution = '1280x720', format = 'mp4', fps = 30, locale = '' } = options;
  return (
    <Panel
      icon="film"
      title="Output"
      now={`${resolution.replace('x', ' × ')}, ${format === 'mp4' ? 'MP4' : 'WebM'}`}
      fields={[
        'options.resolution',
        'options.format',
        'options.fps',
        'options.locale',
        'options.outputs',
        'options.onAssetError',
      ]}
    >
      <Field id="options.resolution" label="Size" error={errorOf('options.resolution')}>
        <Select
          id="options.resolution"
          value={resolution}
          choices={SIZES}
          onChange={(value) => setOptions({ resolution: value === '1280x720' ? undefined : value })}
          {...invalid('options.resolution', errorOf('options.resolution'))}
        />
      </Field>
      <Field id="options.format" label="Format" error={errorOf('options.format')}>
        <Select
          id="options.format"
          value={format}
          choices={FORMATS}
          onChange={(value) =>
            setOptions({ format: value === 'mp4' ? undefined : (value as Options['format']) })
          }
        />
      </Field>
      <Field id="options.fps" label="Frame rate" error={errorOf('options.fps')}>
        <Select
          id="options.fps"
          value={String(fps)}
          choices={RATES}
          onChange={(value) => setOptions({ fps: value === '30' ? undefined : Number(value) })}
        />
      </Field>
      <Field
        id="options.locale"
        label="Language"
        hint="For example en or de-AT"
        error={errorOf('options.locale')}
      >
        <input
          id="options.locale"
          autocomplete="off"
          value={locale}
          onInput={(event) => setOptions({ locale: event.currentTarget.value.trim() }, 'locale')}
          {...invalid('options.locale', errorOf('options.locale'))}
        />
      </Field>
      <Switch
        id="options.outputs"
        label="Make a teaser"
        hint="An animated WebP of the first seconds"
        checked={options.outputs?.includes('teaser') ?? false}
        onChange={(on) => setOptions({ outputs: on ? EVERYTHING : undefined })}
      />
      <FieldError id="options.outputs" message={errorOf('options.outputs')} />
      <Switch
        id="options.onAssetError"
        label="Continue if a file cannot be used"
        hint="The step shows a placeholder with a warning, instead of failing the job."
        checked={options.onAssetError === 'placeholder'}
        onChange={(on) => setOptions({ onAssetError: on ? 'placeholder' : undefined })}
      />
    </Panel>
  );
}
