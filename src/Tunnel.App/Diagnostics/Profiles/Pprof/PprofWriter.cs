using System.IO.Compression;
using Fields = Tunnel.App.Diagnostics.Profiles.Pprof.PprofFields;

namespace Tunnel.App.Diagnostics.Profiles.Pprof;

/// <summary>Writes a profile in pprof's form: a gzipped protobuf message, each text once in a table.</summary>
public static class PprofWriter
{
    private const string ThreadLabel = "thread";
    private const int TheMapping = 1;

    /// <param name="profile">What to write.</param>
    /// <param name="program">The program's file, by which tools name the profile.</param>
    public static byte[] Write(StackProfile profile, string program)
    {
        var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(new Message(profile, program).Render());
        return output.ToArray();
    }

    private sealed class Message(StackProfile profile, string program)
    {
        // Its first entry is the empty text, by agreement.
        private readonly List<string> _texts = [""];
        private readonly Dictionary<string, int> _indices = new() { [""] = 0 };
        private readonly ProtobufWriter _whole = new(), _part = new(), _piece = new();

        public ReadOnlySpan<byte> Render()
        {
            foreach (ValueKind kind in profile.Kinds)
                WriteKind(Fields.Profile.SampleType, kind);
            foreach (StackSample sample in profile.Samples)
                WriteSample(sample);
            WriteMapping();
            for (int i = 0; i < profile.Functions.Count; i++)
                WriteFunction(i + 1, profile.Functions[i]);
            _whole.WriteNumber(Fields.Profile.TimeNanos, profile.Start.ToUnixTimeMilliseconds() * 1_000_000);
            _whole.WriteNumber(Fields.Profile.DurationNanos, (long)profile.Duration.TotalNanoseconds);
            WriteKind(Fields.Profile.PeriodType, profile.PeriodKind);
            _whole.WriteNumber(Fields.Profile.Period, profile.Period);
            foreach (string comment in profile.Comments)
                _whole.WriteNumber(Fields.Profile.Comment, IndexOf(comment));
            _whole.WriteNumber(Fields.Profile.DefaultSampleType, IndexOf(profile.Kinds[^1].Type));
            foreach (string text in _texts)
                _whole.WriteText(Fields.Profile.StringTable, text);
            return _whole.Written;
        }

        private void WriteKind(int field, ValueKind kind)
        {
            _part.Clear();
            _part.WriteNumber(Fields.ValueType.Type, IndexOf(kind.Type));
            _part.WriteNumber(Fields.ValueType.Unit, IndexOf(kind.Unit));
            _whole.WriteMessage(field, _part);
        }

        private void WriteSample(StackSample sample)
        {
            _part.Clear();
            WritePacked(Fields.Sample.LocationId, sample.Frames.Select(f => f + 1L));
            WritePacked(Fields.Sample.Value, sample.Values);
            if (sample.Thread is { } thread)
            {
                _piece.Clear();
                _piece.WriteNumber(Fields.Label.Key, IndexOf(ThreadLabel));
                _piece.WriteNumber(Fields.Label.Text, IndexOf(thread));
                _part.WriteMessage(Fields.Sample.Label, _piece);
            }

            _whole.WriteMessage(Fields.Profile.Sample, _part);
        }

        private void WritePacked(int field, IEnumerable<long> numbers)
        {
            _piece.Clear();
            foreach (long number in numbers)
                _piece.WriteRaw((ulong)number);
            _part.WriteMessage(field, _piece);
        }

        /// <summary>One for all, which says that functions are known: otherwise tools look for symbols in the program's file.</summary>
        private void WriteMapping()
        {
            _part.Clear();
            _part.WriteNumber(Fields.Mapping.Id, TheMapping);
            _part.WriteNumber(Fields.Mapping.Filename, IndexOf(program));
            _part.WriteNumber(Fields.Mapping.HasFunctions, 1);
            _whole.WriteMessage(Fields.Profile.Mapping, _part);
        }

        /// <summary>A function, and a location in it with the same number: lines are not known.</summary>
        private void WriteFunction(int id, string name)
        {
            _piece.Clear();
            _piece.WriteNumber(Fields.Line.FunctionId, id);
            _part.Clear();
            _part.WriteNumber(Fields.Location.Id, id);
            _part.WriteNumber(Fields.Location.MappingId, TheMapping);
            _part.WriteMessage(Fields.Location.Line, _piece);
            _whole.WriteMessage(Fields.Profile.Location, _part);

            _part.Clear();
            _part.WriteNumber(Fields.Function.Id, id);
            _part.WriteNumber(Fields.Function.Name, IndexOf(name));
            _part.WriteNumber(Fields.Function.SystemName, IndexOf(name));
            _whole.WriteMessage(Fields.Profile.Function, _part);
        }

        private int IndexOf(string text)
        {
            if (!_indices.TryGetValue(text, out int index))
            {
                _indices[text] = index = _texts.Count;
                _texts.Add(text);
            }

            return index;
        }
    }
}
