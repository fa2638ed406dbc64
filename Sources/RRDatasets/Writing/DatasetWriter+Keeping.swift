internal import RRFormats
internal import RRTensor
internal import Synchronization

// For an import that comes upon samples without an image only while it writes.
extension DatasetWriter {
    /// A writer that has the images of some samples only, to be finished in place of this one.
    ///
    /// - Parameter samples: increasing. Room in a contiguous array cannot be given back, so they are copied.
    package func keeping(_ samples: [Int]) throws -> DatasetWriter {
        let smaller = try DatasetWriter(
            path: output.path, force: output.force, sampleCount: samples.count, imageShape: imageShape,
            elementType: elementType, color: color, compression: compression)
        switch elementType {
        case .uint8: try copy(samples, to: smaller, as: UInt8.self)
        case .uint16: try copy(samples, to: smaller, as: UInt16.self)
        case .float32: try copy(samples, to: smaller, as: Float.self)
        }
        return smaller
    }

    private func copy<Element: HDF5Element>(
        _ samples: [Int], to smaller: DatasetWriter, as type: Element.Type
    ) throws {
        let size = imageShape.elementCount
        let largestRun = max(1, (32 << 20) / (size * MemoryLayout<Element>.size))
        let buffer = UnsafeMutableBufferPointer<Element>.allocate(
            capacity: min(largestRun, samples.count) * size)
        defer { buffer.deallocate() }
        var position = 0
        while position < samples.count {
            // A run of neighbours is copied at once.
            var count = 1
            while count < largestRun, position + count < samples.count,
                samples[position + count] == samples[position] + count
            {
                count += 1
            }
            let run = samples[position]..<samples[position] + count
            let pixels = UnsafeMutableBufferPointer(rebasing: buffer[..<(count * size)])
            try images.read(rows: run, as: type, into: pixels)
            try smaller.write(
                images: UnsafeRawBufferPointer(pixels), rows: position..<position + count,
                checksums: checksums.withLock { Array($0[run]) })
            position += count
        }
    }
}
