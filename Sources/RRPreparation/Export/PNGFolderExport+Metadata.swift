internal import RRDatasets
internal import RRFormats

extension PNGFolderExport {
    /// The table that says of every file what the folders do not: `file_name`, `label`, `split`, `group`.
    struct Metadata {
        static let fileName = "metadata.csv"

        private let source: ExportSource

        init(_ source: ExportSource) {
            self.source = source
        }

        /// Whether an import of a folder gives back ids, labels, class names and splits in their order.
        ///
        /// - Throws: `FormatError` where the folder cannot be read.
        static func isRestored(by folder: String, _ source: ExportSource) throws -> Bool {
            let files: PNGFileList
            do {
                var reading = ImageFolderOptions()
                reading.masksAmongImages = false
                files = try PNGFolderScan(folder: folder, reading).files
            } catch is DatasetError {
                return false
            }
            guard files.count == source.count,
                files.table.labels == source.labels,
                files.table.classNames.map(Self.bytes) == source.dataset.classNames.map(Self.bytes),
                files.table.groups == source.groups, files.table.splits ?? [] == source.splits ?? [],
                bytes(files.table.splitNames) == bytes(source.splitNames)
            else { return false }
            return source.ids.indices.allSatisfy { index in
                files.paths.withUTF8(at: index) {
                    ImageNames.stem(of: $0).elementsEqual(source.ids[index].utf8)
                }
            }
        }

        private static func bytes(_ names: [String]) -> [[UInt8]] { names.map { Array($0.utf8) } }

        /// The table, rows in the order of the samples, ends of lines as CSV has them (RFC 4180).
        var bytes: [UInt8] {
            var columns = ["file_name"]
            if source.labels != nil { columns.append("label") }
            if source.splits != nil { columns.append("split") }
            if source.groups != nil { columns.append("group") }
            var text = CSVRow.text(columns)
            for (position, id) in source.ids.enumerated() {
                var fields = [id + ".png"]
                if let labels = source.labels { fields.append(source.className(of: labels[position])) }
                if let splits = source.splits { fields.append(source.splitNames[Int(splits[position])]) }
                if let groups = source.groups { fields.append(groups.name(of: groups.numbers[position])) }
                text += CSVRow.text(fields)
            }
            return Array(text.utf8)
        }
    }
}
