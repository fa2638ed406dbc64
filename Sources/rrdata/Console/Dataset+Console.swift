import RRDatasets
import RRFormats

extension Dataset {
    /// Computes the fingerprint where it is not stored, with progress, and a note where that takes long: the images of a
    /// folder are decoded for it.
    ///
    /// - Throws: as `fingerprint`.
    func prepareFingerprint() throws {
        guard !hasFingerprint else { return }
        let clock = ContinuousClock()
        let start = clock.now
        let line = ProgressLine()
        defer { line.clear() }
        var isTold = false
        _ = try fingerprint { done, total in
            if !isTold, done < total, clock.now - start > .seconds(2) {
                isTold = true
                Console.error(
                    "rrdata: note: all images of \(path) are decoded once for the fingerprint, by which masks, cursors "
                        + "and runs know their dataset; `rrdata import pngs` stores it")
            }
            line.show("images", done: done, of: total)
        }
    }
}
