package import RRFormats

/// The type of an image's elements as they are stored.
///
/// Images reach a network as float32: uint8 divided by 255, uint16 by 65,535, float32 as it is.
public enum ImageElementType: String, Sendable, CaseIterable, Codable {
    case uint8
    case uint16
    case float32

    /// The size of an element in bytes.
    public var size: Int {
        switch self {
        case .uint8: 1
        case .uint16: 2
        case .float32: 4
        }
    }

    /// How the elements stand in an HDF5 file: little-endian.
    package var storedType: HDF5ElementType {
        switch self {
        case .uint8: .uint8
        case .uint16: .uint16
        case .float32: .float32
        }
    }

    /// The type that is stored so in an HDF5 file; nil where images are not stored in this type.
    package init?(_ storedType: HDF5ElementType) {
        guard let type = Self.allCases.first(where: { $0.storedType == storedType }) else { return nil }
        self = type
    }
}
