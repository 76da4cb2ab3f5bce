using System.CommandLine;
using System.CommandLine.Invocation;
using Tunnel.Ctl;
using Tunnel.Ctl.Demo;
using Tunnel.Ctl.Verbs;

var root = new RootCommand("tunnelctl: tools around the tunnel; each verb's own --help has its options, examples and exit codes")
{
    DemoVerb.Create(),
    InitVerb.Create(),
    KeygenVerb.Create(),
    CheckVerb.Create(),
    PingVerb.Create(),
    DumpVerb.Create(),
    BenchVerb.Create(),
    TuneLoopVerb.Create(),
    EmulateVerb.Create(),
    TopVerb.Create(),
    ProfileVerb.Create(),
    VersionVerb.Create(),
};
ParseResult parsed = root.Parse(args);
Overview.Shorten(parsed.CommandResult.Command);
Overview.Narrow(root);
// Behind a page of help nobody sees what was wrong.
if (parsed.Action is ParseErrorAction wrong && args.Length != 0)
    wrong.ShowHelp = false;

// Not the library's own handling of signals: a second one makes it throw where nobody catches.
using var signal = new FirstSignal();
int result = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }, signal.Stop);
if (parsed.Errors.Count != 0 && args.Length != 0)
    Console.Error.WriteLine($"see {Overview.PathOf(parsed.CommandResult)} --help");
return parsed.Errors.Count != 0 ? Tunnel.App.Hosting.ExitCode.Usage : result;
