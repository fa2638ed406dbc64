import RRDatasets

extension Dataset {
    /// Opens a file or a folder, and notes how it was read where it allows more than one reading.
    ///
    /// - Throws: as `init(path:)`.
    static func opened(_ path: String) throws -> Dataset {
        let dataset = try Dataset(path: path)
        for note in dataset.notes { Console.note(note) }
        return dataset
    }

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
