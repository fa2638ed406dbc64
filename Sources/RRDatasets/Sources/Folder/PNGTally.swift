package import RRFormats

/// What was met in image files beside their pixels.
package struct PNGTally: Equatable, Sendable {
    /// The images whose files name a colour space, which was ignored.
    package private(set) var colorSpaceCount = 0
    /// The images whose files say that they are to be turned.
    package private(set) var turnedCount = 0
    /// The images whose files have each fault that was read over.
    private var faultCounts: [PNGFaults: Int] = [:]

    package init() {}

    package mutating func add(_ storage: ImageStorage, _ orientation: PNGOrientation, _ faults: PNGFaults) {
        if storage.hasColorSpace { colorSpaceCount += 1 }
        add(orientation, faults)
    }

    package mutating func add(_ orientation: PNGOrientation, _ faults: PNGFaults) {
        if orientation != .topLeft { turnedCount += 1 }
        for (fault, _) in PNGFaults.all where faults.contains(fault) {
            faultCounts[fault, default: 0] += 1
        }
    }

    package mutating func add(_ other: PNGTally) {
        colorSpaceCount += other.colorSpaceCount
        turnedCount += other.turnedCount
        faultCounts.merge(other.faultCounts) { $0 + $1 }
    }

    /// What a user should know of the files, a line each.
    ///
    /// - Parameter files: what they are: `images`.
    package func notes(_ orientation: ImageFolderOptions.Orientation, of files: String) -> [Message] {
        var notes: [Message] = []
        if turnedCount > 0 {
            notes.append(
                orientation == .apply
                    ? "\(files) that were turned as their Exif data says: \(turnedCount)"
                    : "\(files) whose Exif data says that they are to be turned: \(turnedCount); they are taken as they "
                        + "are stored, and \(option: .orientation) apply turns them")
        }
        for (fault, words) in PNGFaults.all {
            guard let count = faultCounts[fault] else { continue }
            notes.append("\(files) that were read although they have \(words): \(count)")
        }
        return notes
    }

    /// The counts of faults by their words.
    package var faults: [String: Int] {
        Dictionary(
            uniqueKeysWithValues: PNGFaults.all.compactMap { fault, words in
                faultCounts[fault].map { (words, $0) }
            })
    }
}
