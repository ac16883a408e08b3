#!/usr/bin/env bash
# Speaks the narration: espeak-ng, then sox for warmth, room and level, then Ogg Vorbis.
set -euo pipefail
cd "$(dirname "$0")/../narration"
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

speak() {
  espeak-ng -v en-us+f4 -s 152 -p 42 -g 4 -w "$temp/$1.wav" "$2"
  sox "$temp/$1.wav" -r 48000 "$temp/$1-soft.wav" \
    gain -9 highpass 90 equalizer 220 1q +3 equalizer 3200 1q -3 treble -4 6000 \
    compand 0.02,0.2 6:-60,-40,-18,-10,-6 0 -60 0.1 reverb 12 60 30 gain -n -3
  ffmpeg -v error -y -i "$temp/$1-soft.wav" -ac 1 -c:a libvorbis -q:a 3 -map_metadata -1 -bitexact "$1.ogg"
}

speak 01 "Weigh twenty grams of coffee, and grind it about as coarse as sea salt."
speak 02 "Rinse the paper filter with hot water, and pour that water away."
speak 03 "Wet all the grounds with forty five grams of water, and let them bloom for forty seconds."
speak 04 "Pour slowly into the middle, until the scale reads one hundred and sixty grams."
speak 05 "Then pour in slow spirals, up to three hundred and twenty grams."
speak 06 "Let the last of the water draw down. It should take about three minutes in all."
speak 07 "Swirl the carafe once, pour, and enjoy it while it is hot."
