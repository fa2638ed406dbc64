/// What a program asks the process that reads a file for it.
enum HDF5Request {
    case open(path: String, trustsLinks: Bool)
    case kind(String)
    case exists(String)
    case memberNames(String)
    case objects(skipsHidden: Bool)
    case descriptions
    case attribute(name: String, objectPath: String)
    case dataset(String)
    /// The next carry the number of a dataset that was opened.
    case storageSize(Int)
    case elements(Int, rows: Range<Int>?, as: HDF5ElementType)
    case storedElements(Int, rows: Range<Int>, byteCount: Int)
    case strings(Int)
    case byteSequences(Int, rows: Range<Int>)
    case chunkPlaces(Int, Range<Int>)
    case close(Int)

    /// Whether there is an answer.
    var isAnswered: Bool { if case .close = self { false } else { true } }
}

extension HDF5Request {
    var record: HDF5Record {
        var record = HDF5Record()
        func begin(_ number: Int) { record.append(number) }
        func append(_ rows: Range<Int>) {
            record.append(rows.lowerBound)
            record.append(rows.upperBound)
        }
        switch self {
        case .open(let path, let trustsLinks):
            begin(0)
            record.append(path)
            record.append(trustsLinks)
        case .kind(let path):
            begin(1)
            record.append(path)
        case .exists(let path):
            begin(2)
            record.append(path)
        case .memberNames(let path):
            begin(3)
            record.append(path)
        case .objects(let skipsHidden):
            begin(4)
            record.append(skipsHidden)
        case .descriptions: begin(14)
        case .attribute(let name, let path):
            begin(5)
            record.append(name)
            record.append(path)
        case .dataset(let path):
            begin(6)
            record.append(path)
        case .storageSize(let number):
            begin(7)
            record.append(number)
        case .elements(let number, let rows, let type):
            begin(8)
            record.append(number)
            record.append(rows) { record, rows in
                record.append(rows.lowerBound)
                record.append(rows.upperBound)
            }
            record.append(type)
        case .storedElements(let number, let rows, let byteCount):
            begin(9)
            record.append(number)
            append(rows)
            record.append(byteCount)
        case .strings(let number):
            begin(10)
            record.append(number)
        case .byteSequences(let number, let rows):
            begin(11)
            record.append(number)
            append(rows)
        case .chunkPlaces(let number, let chunks):
            begin(12)
            record.append(number)
            append(chunks)
        case .close(let number):
            begin(13)
            record.append(number)
        }
        return record
    }

    init(_ bytes: [UInt8]) throws(HDF5BrokenRecord) {
        var parser = HDF5RecordParser(bytes)
        switch try parser.number() {
        case 0: self = .open(path: try parser.text(), trustsLinks: try parser.flag())
        case 1: self = .kind(try parser.text())
        case 2: self = .exists(try parser.text())
        case 3: self = .memberNames(try parser.text())
        case 4: self = .objects(skipsHidden: try parser.flag())
        case 5: self = .attribute(name: try parser.text(), objectPath: try parser.text())
        case 6: self = .dataset(try parser.text())
        case 7: self = .storageSize(try parser.number())
        case 8:
            self = .elements(
                try parser.number(),
                rows: try parser.optional { parser throws(HDF5BrokenRecord) in try parser.range() },
                as: try parser.elementType())
        case 9:
            self = .storedElements(
                try parser.number(), rows: try parser.range(), byteCount: try parser.size())
        case 10: self = .strings(try parser.number())
        case 11: self = .byteSequences(try parser.number(), rows: try parser.range())
        case 12: self = .chunkPlaces(try parser.number(), try parser.range())
        case 13: self = .close(try parser.number())
        case 14: self = .descriptions
        default: throw HDF5BrokenRecord()
        }
        try parser.end()
    }
}

extension HDF5RecordParser {
    fileprivate mutating func range() throws(HDF5BrokenRecord) -> Range<Int> {
        let (lower, upper) = (try size(), try size())
        guard lower <= upper else { throw HDF5BrokenRecord() }
        return lower..<upper
    }
}
