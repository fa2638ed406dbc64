internal import CHDF5
internal import Synchronization

extension HDF5ChunkDecoder {
    /// One thread's memory for decoding chunks.
    final class Worker {
        private let decoder: HDF5ChunkDecoder
        private let inflater: Inflater
        /// The bytes at the present stage of decoding, and room for the next.
        private var current: UnsafeMutableRawBufferPointer
        private var other: UnsafeMutableRawBufferPointer
        private var count = 0

        /// Returns nil where there is no memory.
        init?(_ decoder: HDF5ChunkDecoder) {
            guard let inflater = Inflater() else { return nil }
            self.decoder = decoder
            self.inflater = inflater
            // What a damaged file says of its chunks takes no memory before there is a chunk.
            current = .allocate(byteCount: 0, alignment: 16)
            other = .allocate(byteCount: 0, alignment: 16)
        }

        deinit {
            current.deallocate()
            other.deallocate()
        }

        /// Reads a chunk as it is stored, where a plan tells its place from the file, else by libhdf5.
        ///
        /// - Parameter lock: under which libhdf5 is called.
        /// - Returns: the filters that it did not pass through, a bit each; nil where there is no chunk, or a damaged one.
        /// - Throws: `FormatError` where the plan's process has ended.
        func fetch(
            _ offset: [Int], from dataset: HDF5Dataset, _ lock: borrowing Mutex<()>
        ) throws(FormatError) -> UInt32? {
            guard let contained = dataset.contained else {
                return lock.withLock { _ in fetch(offset, from: dataset) }
            }
            guard let plan = contained.plan, let place = try plan.place(at: offset), place.size > 0 else {
                return nil
            }
            makeRoom(for: place.size)
            count = place.size
            try contained.reader.input.read(
                at: place.address, into: UnsafeMutableRawBufferPointer(rebasing: current[..<count]),
                location: dataset.location)
            return place.filterMask
        }

        private func makeRoom(for size: Int) {
            // Deflate may have made it larger.
            guard size > current.count else { return }
            current.deallocate()
            current = .allocate(byteCount: size, alignment: 16)
        }

        /// Reads a chunk as it is stored, by libhdf5.
        ///
        /// - Returns: the filters that it did not pass through, a bit each; nil where there is no chunk, or a damaged
        ///   one.
        private func fetch(_ offset: [Int], from dataset: HDF5Dataset) -> UInt32? {
            let errors = HDF5Library.silenceErrors()
            defer { errors.restore() }
            let place = offset.map { hsize_t($0) }
            var size: hsize_t = 0
            guard H5Dget_chunk_storage_size(dataset.handle.id, place, &size) >= 0, size > 0,
                size <= hsize_t(decoder.fileSize)
            else { return nil }
            makeRoom(for: Int(size))
            var mask: UInt32 = 0
            guard
                H5Dread_chunk(dataset.handle.id, rr_h5p_default(), place, &mask, current.baseAddress) >= 0
            else { return nil }
            count = Int(size)
            return mask
        }

        /// Undoes the filters, the last first.
        ///
        /// - Parameter location: where the chunk is, for errors.
        /// - Returns: whether the chunk came out sound.
        /// - Throws: `FormatError` with the code `malformed` where it has another size than a chunk: libhdf5 1.10 would
        ///   copy a whole chunk out of it, however little there is.
        func decode(skipping mask: UInt32, at location: String) throws(FormatError) -> Bool {
            // Each fletcher32 adds four bytes.
            let room = decoder.chunkSize + 4 * decoder.filters.count
            for (position, filter) in decoder.filters.enumerated().reversed()
            where position >= 32 || mask & (1 << UInt32(position)) == 0 {
                switch filter {
                case .deflate:
                    if other.count < room {
                        other.deallocate()
                        other = .allocate(byteCount: room, alignment: 16)
                    }
                    guard case .done(_, let written) = inflater.inflate(stored, .zlib, into: other) else {
                        return false
                    }
                    count = written
                    swap(&current, &other)
                case .shuffle(let elementSize):
                    guard elementSize > 1, count >= elementSize else { continue }
                    if other.count < count {
                        other.deallocate()
                        other = .allocate(byteCount: count, alignment: 16)
                    }
                    Self.unshuffle(stored, into: other, elementSize: elementSize)
                    swap(&current, &other)
                case .fletcher32:
                    guard count >= 4 else { return false }
                    let data = UnsafeRawBufferPointer(rebasing: stored[..<(count - 4)])
                    let expected = stored.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
                    guard Fletcher32.checksum(of: data) == UInt32(littleEndian: expected) else {
                        return false
                    }
                    count -= 4
                }
            }
            guard count == decoder.chunkSize else {
                throw FormatError(
                    .malformed, path: location,
                    "a chunk holds \(count) bytes, where \(decoder.chunkSize) are needed")
            }
            return true
        }

        /// The chunk as far as it is decoded.
        var stored: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: current[..<count]) }

        /// Copies what the chunk has of some rows to its places among them.
        func copy(chunkAt offset: [Int], ofRows rows: Range<Int>, into target: UnsafeMutableRawBufferPointer)
        {
            let (shape, extents, size) = (decoder.shape, decoder.extents, decoder.elementSize)
            // Within the chunk, the part that lies in the rows and in the array.
            let begin = max(rows.lowerBound - offset[0], 0)
            var part = zip(extents, zip(shape, offset)).map { min($0, $1.0 - $1.1) }
            part[0] = min(part[0], rows.upperBound - offset[0]) - begin
            // Dimensions that the chunk fills are copied in one run with the one before them.
            var last = extents.count - 1
            var run = part[last] * size
            while last > 0, extents[last] == shape[last] {
                last -= 1
                run = extents[(last + 1)...].reduce(size, *) * part[last]
            }
            let sourceSteps = Self.steps(of: extents, elementSize: size)
            let targetSteps = Self.steps(of: shape, elementSize: size)
            // The innermost loop runs over the dimension before the run, in steps.
            let inner = max(0, last - 1)
            let innerCount = last > 0 ? part[inner] : 1
            var position = Array(repeating: 0, count: inner)
            var count = part[..<inner].reduce(1, *)
            while count > 0 {
                count -= 1
                var source = begin * sourceSteps[0]
                var place = (offset[0] + begin - rows.lowerBound) * targetSteps[0]
                for dimension in 1..<max(1, extents.count) {
                    place += offset[dimension] * targetSteps[dimension]
                }
                for dimension in 0..<inner {
                    source += position[dimension] * sourceSteps[dimension]
                    place += position[dimension] * targetSteps[dimension]
                }
                Self.copy(
                    UnsafeRawBufferPointer(rebasing: stored[source...]), step: sourceSteps[inner],
                    to: UnsafeMutableRawBufferPointer(rebasing: target[place...]), step: targetSteps[inner],
                    run: run, count: innerCount)
                for dimension in position.indices.reversed() {
                    position[dimension] += 1
                    if position[dimension] < part[dimension] { break }
                    position[dimension] = 0
                }
            }
        }

        /// Copies runs of bytes from places that are a step apart to such places; short runs without a call each.
        private static func copy(
            _ source: UnsafeRawBufferPointer, step sourceStep: Int, to target: UnsafeMutableRawBufferPointer,
            step targetStep: Int, run: Int, count: Int
        ) {
            guard count > 0, let from = source.baseAddress, let to = target.baseAddress else { return }
            precondition(
                (count - 1) * sourceStep + run <= source.count
                    && (count - 1) * targetStep + run <= target.count)
            func copy<Word: BitwiseCopyable>(as type: Word.Type) {
                for number in 0..<count {
                    (to + number * targetStep).storeBytes(
                        of: (from + number * sourceStep).loadUnaligned(as: type), as: type)
                }
            }
            switch run {
            case 1: copy(as: UInt8.self)
            case 2: copy(as: UInt16.self)
            case 4: copy(as: UInt32.self)
            case 8: copy(as: UInt64.self)
            default:
                for number in 0..<count {
                    (to + number * targetStep).copyMemory(from: from + number * sourceStep, byteCount: run)
                }
            }
        }

        private static func steps(of extents: [Int], elementSize: Int) -> [Int] {
            var steps = extents.map { _ in elementSize }
            for dimension in extents.indices.dropLast().reversed() {
                steps[dimension] = steps[dimension + 1] * extents[dimension + 1]
            }
            return steps
        }

        /// Brings the bytes of each element together again; what is left over stays at the end.
        static func unshuffle(
            _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, elementSize: Int
        ) {
            let elements = source.count / elementSize
            switch elementSize {
            case 2: join(source, into: target, count: elements, as: UInt16.self)
            case 4: join(source, into: target, count: elements, as: UInt32.self)
            case 8: join(source, into: target, count: elements, as: UInt64.self)
            default:
                for byte in 0..<elementSize {
                    var place = byte
                    for value in source[byte * elements..<(byte + 1) * elements] {
                        target[place] = value
                        place += elementSize
                    }
                }
            }
            let rest = elements * elementSize
            UnsafeMutableRawBufferPointer(rebasing: target[rest..<source.count])
                .copyMemory(from: .init(rebasing: source[rest...]))
        }

        /// Makes each word of its bytes, which are as many elements apart as there are.
        private static func join<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
            _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, count: Int,
            as type: Word.Type
        ) {
            let size = MemoryLayout<Word>.size
            precondition(source.count >= count * size && target.count >= count * size)
            guard let from = source.baseAddress, let to = target.baseAddress else { return }
            for element in 0..<count {
                var word: Word = 0
                for byte in 0..<size {
                    word |=
                        Word(from.load(fromByteOffset: byte * count + element, as: UInt8.self))
                        &<< Word(8 * byte)
                }
                to.storeBytes(of: word.littleEndian, toByteOffset: element * size, as: type)
            }
        }
    }
}
