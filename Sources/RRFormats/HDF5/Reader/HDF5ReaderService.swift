internal import CHDF5
internal import CHDF5Reader
internal import Glibc
internal import RRTensor

/// What the process that reads a file does: it answers until nobody asks any more.
struct HDF5ReaderService {
    /// The bytes of memory that reading a small file may take, and how many times a large file's size are added.
    private static let (smallMemory, memoryPerByte) = (224 << 20, 100)
    /// The microseconds that all that is not reading of elements may take together: a sound file takes a few thousand, one of
    /// many thousand objects more.
    private static func patience(fileSize: Int) -> Int64 { Int64(300_000 + min(fileSize / 4, 2_700_000)) }

    private let socket: HDF5Socket
    private var file: HDF5File?
    private var datasets: [Int: HDF5Dataset] = [:]
    private var datasetCount = 0
    /// What is left of the patience.
    private var left = Self.patience(fileSize: 0)

    static func run() -> Never {
        // No other program is meant to be called by this name.
        var status = stat()
        guard fstat(HDF5ReaderProcess.socket, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else {
            _exit(64)
        }
        var service = HDF5ReaderService(socket: HDF5Socket(descriptor: HDF5ReaderProcess.socket))
        do {
            try service.socket.greet()
            while true { try service.answer() }
        } catch {
            _exit(0)
        }
    }

    private init(socket: HDF5Socket) { self.socket = socket }

    private mutating func answer() throws {
        let count = try socket.receiveNumber()
        guard count >= 0 else { throw HDF5BrokenRecord() }
        let request = try HDF5Request(socket.receive(count))
        let extra = time(for: request)
        let isOpening = file == nil
        rr_reader_begin(left + extra)
        let outcome: Result<Answer, FormatError>
        do throws(FormatError) {
            outcome = .success(try answer(to: request))
        } catch {
            outcome = .failure(error)
        }
        let unused = rr_reader_end()
        // The file's size is known after the first request.
        left = isOpening ? left : min(left, unused)
        guard request.isAnswered else { return }
        switch outcome {
        case .success(let answer):
            try answer.send(to: socket)
        case .failure(let error):
            var record = HDF5Record()
            record.append(error)
            try socket.send(message: record.bytes, isError: true)
        }
    }

    /// The microseconds that are given to a request beside the patience: 32 bytes of elements in each, at least.
    private func time(for request: HDF5Request) -> Int64 {
        switch request {
        case .elements(let number, let rows, _):
            guard let dataset = datasets[number] else { return 0 }
            let size = dataset.facts.elementSize
            let count = rows.map { $0.count * dataset.elementsPerRow } ?? dataset.shape.elementCount
            return 10_000
                + Int64(clamping: count.multipliedReportingOverflow(by: max(1, size)).partialValue / 32)
        case .storedElements(_, _, let byteCount): return 10_000 + Int64(byteCount / 32)
        case .strings(let number):
            guard let dataset = datasets[number] else { return 0 }
            return 10_000 + Int64(dataset.shape.elementCount)
        case .byteSequences: return 10_000
        case .chunkPlaces(_, let chunks): return Int64(chunks.count * 20)
        default: return 0
        }
    }

    /// What is sent in answer.
    private enum Answer {
        case record(HDF5Record)
        case elements(UnsafeMutableRawBufferPointer)

        consuming func send(to socket: HDF5Socket) throws(HDF5Socket.Closed) {
            switch self {
            case .record(let record): try socket.send(message: record.bytes, isError: false)
            case .elements(let bytes):
                defer { bytes.deallocate() }
                try socket.send(message: UnsafeRawBufferPointer(bytes), isError: false)
            }
        }
    }

    private mutating func answer(to request: HDF5Request) throws(FormatError) -> Answer {
        var record = HDF5Record()
        switch request {
        case .open(let path, let trustsLinks):
            try open(path, trustsLinks: trustsLinks)
        case .kind(let path):
            record.append(try opened().kind(of: path)) { $0.append($1.number) }
        case .exists(let path): record.append(try opened().exists(path))
        case .memberNames(let path):
            record.append(try opened().memberNames(of: path)) { $0.append($1) }
        case .objects(let skipsHidden):
            record.append(try opened().objects(skipsHidden: skipsHidden)) { record, object in
                record.append(object.path)
                record.append(object.kind) { $0.append($1.number) }
            }
        case .descriptions:
            record.append(try opened().descriptions()) { record, described in
                record.append(described.path)
                record.append(described.1)
            }
        case .attribute(let name, let objectPath):
            record.append(try opened().attribute(name, of: objectPath)) { $0.append($1) }
        case .dataset(let path):
            let dataset = try opened().dataset(path)
            datasetCount += 1
            datasets[datasetCount] = dataset
            record.append(datasetCount)
            record.append(dataset.facts)
        case .storageSize(let number): record.append(try dataset(number).storageSize)
        case .elements(let number, let rows, let type):
            return .elements(try elements(of: dataset(number), rows: rows, as: type))
        case .storedElements(let number, let rows, let byteCount):
            let dataset = try dataset(number)
            return .elements(
                try filled(byteCount, at: dataset) { bytes throws(FormatError) in
                    try dataset.read(rows: rows, form: dataset.facts.form, into: bytes)
                })
        case .strings(let number):
            record.append(try dataset(number).readStrings()) { $0.append($1) }
        case .byteSequences(let number, let rows):
            record.append(try dataset(number).readByteSequences(rows: rows)) { $0.append($1) }
        case .chunkPlaces(let number, let chunks):
            record.append(try dataset(number).chunkPlaces(chunks)) { record, place in
                record.append(place) { record, place in
                    record.append(place.address)
                    record.append(place.size)
                    record.append(Int(place.filterMask))
                }
            }
        case .close(let number): datasets[number] = nil
        }
        return .record(record)
    }

    private mutating func open(_ path: String, trustsLinks: Bool) throws(FormatError) {
        guard file == nil else { throw FormatError(.cannotRead, path: path, "the file is open already") }
        let input = try InputFile(descriptor: HDF5ReaderProcess.file, path: path)
        let memory =
            Self.smallMemory + input.size.multipliedReportingOverflow(by: Self.memoryPerByte).partialValue
        guard
            rr_reader_confine(
                HDF5ReaderProcess.socket, HDF5ReaderProcess.file + 1, memory, trustsLinks ? 1 : 0) == 0
        else {
            throw FormatError(.cannotRead, path: path, SystemFailure.message(errno))
        }
        left = Self.patience(fileSize: input.size)
        file = try HDF5File(reading: input, trustingLinks: trustsLinks, byLibraryAlone: true)
    }

    private func opened() throws(FormatError) -> HDF5File {
        guard let file else { throw FormatError(.cannotRead, path: "", "no file is open") }
        return file
    }

    private func dataset(_ number: Int) throws(FormatError) -> HDF5Dataset {
        guard let dataset = datasets[number] else {
            throw FormatError(.cannotRead, path: try opened().path, "the dataset has been closed")
        }
        return dataset
    }

    /// Memory that a body fills.
    private func filled(
        _ byteCount: Int, at dataset: HDF5Dataset,
        _ body: (UnsafeMutableRawBufferPointer) throws(FormatError) -> Void
    ) throws(FormatError) -> UnsafeMutableRawBufferPointer {
        guard let memory = calloc(max(1, byteCount), 1) else {
            throw FormatError(
                .malformed, path: dataset.location, "there is no memory for \(byteCount) bytes of elements")
        }
        let bytes = UnsafeMutableRawBufferPointer(start: memory, count: byteCount)
        do throws(FormatError) {
            try body(bytes)
            return bytes
        } catch {
            bytes.deallocate()
            throw error
        }
    }

    private func elements(
        of dataset: HDF5Dataset, rows: Range<Int>?, as type: HDF5ElementType
    ) throws(FormatError) -> UnsafeMutableRawBufferPointer {
        func elements<Element: HDF5Element>(_: Element.Type) throws(FormatError)
            -> UnsafeMutableRawBufferPointer
        {
            let count = rows.map { $0.count * dataset.elementsPerRow } ?? dataset.shape.elementCount
            return try filled(count * MemoryLayout<Element>.stride, at: dataset) {
                bytes throws(FormatError) in
                try dataset.read(rows: rows, as: Element.self, into: bytes.bindMemory(to: Element.self))
            }
        }
        switch type.kind {
        case .uint8: return try elements(UInt8.self)
        case .int8: return try elements(Int8.self)
        case .uint16: return try elements(UInt16.self)
        case .int16: return try elements(Int16.self)
        case .uint32: return try elements(UInt32.self)
        case .int32: return try elements(Int32.self)
        case .uint64: return try elements(UInt64.self)
        case .int64: return try elements(Int64.self)
        case .float32: return try elements(Float.self)
        case .float64: return try elements(Double.self)
        default:
            throw FormatError(.unsupported, path: dataset.location, "its elements are no numbers (\(type))")
        }
    }
}
