/** Reading codes from a camera: by the browser where it can, else by a library that is fetched when it is needed. */

/** Looks at one picture of a video; undefined where there is no code in it. */
export type Look = (video: HTMLVideoElement) => Promise<string | undefined>

/** What of the Barcode Detection API is used; TypeScript does not know it. */
interface Detector {
  detect(source: HTMLVideoElement): Promise<readonly { readonly rawValue: string }[]>
}
interface DetectorClass {
  new (options: { formats: string[] }): Detector
  getSupportedFormats(): Promise<readonly string[]>
}

export async function scanner(): Promise<Look> {
  const native: DetectorClass | undefined = Reflect.get(globalThis, 'BarcodeDetector')
  if (native && (await native.getSupportedFormats()).includes('qr_code')) {
    const detector = new native({ formats: ['qr_code'] })
    return async (video) => (await detector.detect(video))[0]?.rawValue
  }
  const { default: decode } = await import('qr/decode.js')
  const canvas = document.createElement('canvas')
  const context = canvas.getContext('2d', { willReadFrequently: true })
  return (video) => {
    const { videoWidth: width, videoHeight: height } = video
    if (!context || !width) return Promise.resolve(undefined)
    canvas.width = width
    canvas.height = height
    context.drawImage(video, 0, 0)
    try {
      return Promise.resolve(decode(context.getImageData(0, 0, width, height)))
    } catch {
      // That is how it says that there is none, or none that is whole.
      return Promise.resolve(undefined)
    }
  }
}
